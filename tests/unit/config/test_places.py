"""Sockets lie where only the permitted can come, or nothing is started."""

import os
from pathlib import Path

import pytest

from console import places
from console.domain.errors import ConfigError


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SWITCHGEAR_RUNTIME_DIR", "SWITCHGEAR_STATE_DIR", "SWITCHGEAR_CONFIG", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_the_override_comes_first_then_the_sessions_folder_then_one_by_uid(monkeypatch: pytest.MonkeyPatch) -> None:
    assert places.socket_path("a") == Path(f"/tmp/switchgear-{os.getuid()}/a.sock")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert places.socket_path("a") == Path("/run/user/7/switchgear/a.sock")
    monkeypatch.setenv("SWITCHGEAR_RUNTIME_DIR", "/x")
    assert places.socket_path("a") == Path("/x/a.sock")
    monkeypatch.setenv("SWITCHGEAR_STATE_DIR", "/s")
    monkeypatch.setenv("SWITCHGEAR_CONFIG", "/c.yaml")
    assert places.state_dir("a") == Path("/s/a")
    assert places.config_path() == Path("/c.yaml")


def test_an_override_counts_from_where_it_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHGEAR_RUNTIME_DIR", "run")
    monkeypatch.setenv("SWITCHGEAR_STATE_DIR", "state")
    monkeypatch.setenv("SWITCHGEAR_CONFIG", "c.yaml")
    paths = [places.socket_path("a"), places.state_dir("a"), places.config_path()]
    assert paths == [tmp_path / "run" / "a.sock", tmp_path / "state" / "a", tmp_path / "c.yaml"]


def test_a_path_that_no_socket_can_have_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHGEAR_RUNTIME_DIR", "/" + "x" * 99)
    assert len(os.fsencode(places.socket_path("a"))) == places.LONGEST_SOCKET_PATH
    with pytest.raises(ConfigError, match="SWITCHGEAR_RUNTIME_DIR to a shorter place"):
        places.socket_path("ab")


def test_a_systems_engine_is_found_before_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SYSTEM_SOCKETS", tmp_path)
    assert places.reachable_socket("a") == places.socket_path("a")
    (tmp_path / "a.sock").touch()
    assert places.reachable_socket("a") == tmp_path / "a.sock"


def test_a_private_folder_is_made_with_its_mode_and_a_loose_one_refused(tmp_path: Path) -> None:
    folder = places.private_dir(tmp_path / "one" / "two")
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    with pytest.raises(ConfigError, match="others may enter"):
        places.private_dir(folder)
    places.private_dir(folder, group=os.getgid())
    assert folder.stat().st_mode & 0o777 == 0o710
    assert places.private_dir(folder) == folder, "another environment's engine may share it"


def test_a_link_and_somebody_elses_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(ConfigError, match="no folder"):
        places.private_dir(tmp_path / "link")
    if os.geteuid() == 0:
        os.chown(tmp_path / "real", 65534, -1)
        with pytest.raises(ConfigError, match="belongs to uid 65534"):
            places.private_dir(tmp_path / "real")


def test_a_socket_in_a_folder_that_others_may_write_is_not_trusted(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    assert places.trusted_socket(tmp_path / "a.sock")
    tmp_path.chmod(0o722)
    assert not places.trusted_socket(tmp_path / "a.sock")
