"""`init` writes a config that the reader takes, whatever it is told."""

import stat
from pathlib import Path

import pytest

from console.cli.main import main
from console.cli.template import Answers, render
from console.config.reader import load_with_lines
from console.engine import plugins


@pytest.fixture(autouse=True)
def _piped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)


def test_the_written_config_is_valid_with_the_adapters_own_options(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.yaml"
    flags = ["--name", "prod", "--url", "http://a:4000", "--url", "http://b:4000", "--key", "env:KEY"]
    assert main(["init", "--path", str(path), *flags, "--redis", "env:REDIS", "--operator", "%oncall"]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = load_with_lines(path)
    prod = loaded.environment("prod")
    assert prod.access == "read-only"
    assert prod.operators == ["@owner", "%oncall"]
    options = prod.sources["gateway"].options
    assert options["replicas"] == ["http://a:4000", "http://b:4000"]
    assert loaded.adapter_errors("prod", {"litellm": plugins.load("litellm").options}) == []


def test_every_commented_line_is_right_as_well(tmp_path: Path) -> None:
    text = render(Answers(name="prod", urls=("http://a",), key="env:KEY"))
    for commented, plain in (
        ("# socket_group:", "socket_group:"),
        ("# requests_per_minute:", "requests_per_minute:"),
        ("# redis:", "redis:"),
        ("    protect: []\n", "    protect:\n"),
        ('    # - match: "gateway:route/*"\n    #   rule', '    - match: "gateway:route/*"\n      rule'),
        ("    #   why", "      why"),
        ("    objectives: []\n", "    objectives:\n"),
        ("    # - name: chat\n    #   match", "    - name: chat\n      match"),
        ("    #   target", "      target"),
    ):
        assert commented in text
        text = text.replace(commented, plain)
    path = tmp_path / "config.yaml"
    path.write_text(text)
    path.chmod(0o600)
    loaded = load_with_lines(path)
    assert loaded.environment("prod").objectives[0].name == "chat"
    assert loaded.adapter_errors("prod", {"litellm": plugins.load("litellm").options}) == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--redis", "redis://:sk-1234567@h"], "a secret is not written into the config"),
        (["--key", "sk-1234567"], "a secret is not written into the config"),
        (["--name", "Prod!"], "no name of an environment"),
        (["--url", "http://user:pw@host"], "without credentials"),
        (["--url", 'http://a"\n  evil: true'], "no URL"),
    ],
)
def test_bad_answers_are_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], words: str
) -> None:
    path = tmp_path / "config.yaml"
    assert main(["init", "--path", str(path), *flags]) == 78
    said = capsys.readouterr().err
    assert words in said
    assert "sk-1234567" not in said
    assert not path.exists()
