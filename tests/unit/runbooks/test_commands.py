"""`switchgear runbook …` without an engine."""

import json
from pathlib import Path

import pytest

from console.cli.exits import Exit
from console.cli.main import main
from runbooks.json_schema import SHIPPED
from tests.unit.runbooks.test_linting import GOOD, file

CONFIG = """\
schemaVersion: 1
environments:
  prod:
    runbooks: [{folder}]
    commands: {{page: {{argv: [/usr/bin/true]}}}}
    sources: {{gw: {{adapter: simulator}}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config that names a folder with one good and one faulty runbook."""
    monkeypatch.setenv("SWITCHGEAR_CONFIG", str(tmp_path / "config.yaml"))
    found = tmp_path / "runbooks"
    found.mkdir()
    file(tmp_path, CONFIG.format(folder=found), "config.yaml")
    file(found, GOOD, "brownout.yaml")
    file(found, GOOD.replace("verb: trip", "verb: weight"), "wrong.yaml")
    return found


def test_lint_says_ok_or_every_fault(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, wrong = folder / "brownout.yaml", folder / "wrong.yaml"
    assert main(["runbook", "lint", str(good)]) == Exit.OK
    assert capsys.readouterr().out == f"{good}: ok\n"
    assert main(["runbook", "lint", "--quiet", str(good), str(wrong), str(folder / "none.yaml")]) == Exit.WARN
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{wrong}:19: steps.1.action: weight needs `weight`"
    assert said[1].startswith(f"{folder}/none.yaml cannot be read")
    assert len(said) == 2


def test_lint_knows_the_commands_of_the_config(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file(folder, GOOD.replace("check: p95(target)", "command: {name: pge}\n    when: p95(target)"), "call.yaml")
    for more in ([], ["-e", "prod"]):
        assert main(["runbook", "lint", str(path), *more]) == Exit.WARN
        assert "the config has no command 'pge'; did you mean page?; it has: page" in capsys.readouterr().out
    config = folder.parent / "config.yaml"
    config.write_text("environments: 5\n")
    assert main(["runbook", "lint", str(path)]) == Exit.OK
    assert "commands are not held against the config" in capsys.readouterr().err
    config.unlink()
    assert main(["runbook", "lint", str(path)]) == Exit.OK


def test_list_and_show_tell_what_there_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runbook", "list", "-e", "prod"]) == Exit.WARN
    listed = capsys.readouterr().out
    assert "provider-brownout" in listed
    assert f"{folder}/brownout.yaml" in listed
    assert "FAULTY" in listed
    assert main(["runbook", "show", "brownout", "-e", "prod"]) == Exit.OK
    told = capsys.readouterr().out
    assert "A provider is slow" in told
    assert "target: deployment" in told
    assert "2. away [action]  Trip ${target}" in told


def test_schema_and_functions_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runbook", "schema"]) == Exit.OK
    assert capsys.readouterr().out == SHIPPED.read_text(encoding="utf-8")
    assert main(["runbook", "functions"]) == Exit.OK
    said = capsys.readouterr().out
    assert "time_to_drain(q)" in said
    assert "step_s" in said
    assert main(["runbook", "functions", "--json"]) == Exit.OK
    assert "p95(x)" in [one["signature"] for one in json.loads(capsys.readouterr().out)["functions"]]
