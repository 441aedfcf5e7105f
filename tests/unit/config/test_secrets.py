"""A secret is a reference, resolved at the moment of use, and never repeated in an error."""

import sys
from pathlib import Path

import pytest

from console.config.secrets import Secrets, check_reference
from console.domain.errors import ConfigError


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def secrets(warnings: list[str]) -> Secrets:
    return Secrets(warnings.append)


@pytest.mark.parametrize(
    "text", ["sk-1234", "", "env:", "https://x", "file://x", "keyring:only", "command:'a", "vault:x"]
)
def test_what_is_no_reference_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        check_reference(text)
    assert "sk-1234" not in str(caught.value)


def test_an_environment_variable_is_read_each_time(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_TEST_KEY", "one")
    assert secrets.resolve("env:SWITCHGEAR_TEST_KEY") == "one"
    monkeypatch.setenv("SWITCHGEAR_TEST_KEY", "two")
    assert secrets.resolve("env:SWITCHGEAR_TEST_KEY") == "two"
    monkeypatch.delenv("SWITCHGEAR_TEST_KEY")
    with pytest.raises(ConfigError, match="is not set for the engine"):
        secrets.resolve("env:SWITCHGEAR_TEST_KEY")


def test_a_file_gives_its_first_line_and_loose_modes_are_said_once(
    secrets: Secrets, warnings: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "key"
    path.write_text("sk-1\nsecond\n")
    path.chmod(0o600)
    assert secrets.resolve(f"file:{path}") == "sk-1"
    assert warnings == []
    path.chmod(0o644)
    assert [secrets.resolve(f"file:{path}") for _ in range(2)] == ["sk-1", "sk-1"]
    assert len(warnings) == 1
    assert f"chmod 600 {path}" in warnings[0]
    path.write_text("")
    with pytest.raises(ConfigError, match="is empty"):
        secrets.resolve(f"file:{path}")
    with pytest.raises(ConfigError, match="cannot be read"):
        secrets.resolve(f"file:{path}.none")


def test_a_command_gets_arguments_and_no_shell(secrets: Secrets) -> None:
    line = f"command:{sys.executable} -c 'import sys; print(sys.argv[1])' '$HOME;x'"
    assert secrets.resolve(line) == "$HOME;x"
    with pytest.raises(ConfigError, match="exit code 3") as caught:
        secrets.resolve(f"command:{sys.executable} -c 'raise SystemExit(3)' hunter2")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigError, match="cannot be run"):
        secrets.resolve("command:/nowhere/at/all")


def test_a_keyring_that_is_not_installed_says_how_to_get_it(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(ConfigError, match=r"install switchgear\[keyring\]"):
        secrets.resolve("keyring:service/name")
