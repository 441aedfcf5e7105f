"""Take from Langfuse's own packages what its API promises: `python -m tests.contract.record_langfuse FOLDER`.

npm's `langfuse-cli` has the questions (parameters of each endpoint), PyPI's `langfuse` the answers (fields of each
object). Only names, kinds and which are required are kept. Both are downloaded into a temporary folder.
"""

import ast
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

CLI, API, SDK = "1.2.4", "4.35.0", "5.0.4"
"""Versions of the npm package, of the API that it describes, and of the Python package."""
ASKED = ("/api/public/v2/observations", "/api/public/projects", "/api/public/health")


def questions(folder: Path) -> dict[str, Any]:
    """Parameters by path, each with its kind and the values that it may have."""
    subprocess.run(["npm", "pack", f"langfuse-cli@{CLI}", "--silent"], cwd=folder, check=True, capture_output=True)
    with tarfile.open(folder / f"langfuse-cli-{CLI}.tgz") as package:
        member = package.extractfile(f"package/dist/contracts/{API}.json")
        assert member is not None
        contract = json.load(member)
    return {
        operation["path"]: {
            one["name"]: {"kind": one["kind"], **({"enum": one["enum"]} if "enum" in one else {})}
            for one in operation["parameters"]
        }
        for operation in contract["operations"]
        if operation["method"] == "GET" and operation["path"] in ASKED
    }


def answers(folder: Path) -> dict[str, bool]:
    """Fields of an observation by their JSON names, and whether each is always there."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"langfuse=={SDK}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("langfuse-*.whl"))) as package:
        source = package.read("langfuse/api/commons/types/observation_v2.py").decode()
    model = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    found: dict[str, bool] = {}
    for field in model.body:
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            said = ast.unparse(field.annotation)
            if "ClassVar" not in said:
                name = said.partition("alias='")[2].partition("'")[0] or field.target.id
                found[name] = "Optional" not in said
    return found


def main(target: Path) -> None:
    """Write the contract."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        found = {"api": API, "langfuse-cli": CLI, "langfuse": SDK, "asked": questions(place), "told": answers(place)}
    target.mkdir(parents=True, exist_ok=True)
    (target / "contract.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
