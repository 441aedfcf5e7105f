"""Downloads are kept, keyed by what they are made of, and never taken for whole when they are half."""

from pathlib import Path

import pytest

from tests.real.stack.cache import installing, is_installed, key_of


def test_a_folder_is_filled_once(tmp_path: Path) -> None:
    folder = tmp_path / "tool-1"
    with installing(folder) as needed:
        assert needed
        (folder / "program").write_text("whole")
    with installing(folder) as needed:
        assert not needed
    assert is_installed(folder)
    assert (folder / "program").read_text() == "whole"


def test_half_an_install_is_begun_again_from_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "tool-1"
    with pytest.raises(OSError, match="disk full"), installing(folder):
        _write_half(folder)
    assert not is_installed(folder)
    with installing(folder) as needed:
        assert needed
        assert list(folder.iterdir()) == []


def _write_half(folder: Path) -> None:
    (folder / "half").touch()
    raise OSError("disk full")


def test_the_key_follows_versions_and_files(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("one")
    before = key_of("litellm==1", script)
    assert key_of("litellm==1", script) == before
    assert key_of("litellm==2", script) != before
    script.write_text("two")
    assert key_of("litellm==1", script) != before
