"""Where things lie on disk: the engine's socket, its state, the config.

Three variables move them: SWITCHGEAR_RUNTIME_DIR (sockets), SWITCHGEAR_STATE_DIR (journal, audit log, lock)
and SWITCHGEAR_CONFIG (the config file). Nothing here is made by asking for its path.
"""

import os
import stat
from pathlib import Path

from console.domain.errors import ConfigError

SYSTEM_SOCKETS = Path("/run/switchgear")
"""Where an engine under its own account has its socket (systemd: `RuntimeDirectory=switchgear`). Only root makes it."""

OPENED = "open"
"""Environments of this name and a file's fingerprint show that file: `open-0123456789ab`."""

GAMEDAY = "gameday"
"""Environments of this name and a token are game days: `gameday-01234567`."""

LONGEST_SOCKET_PATH = 107
"""Bytes of a Unix socket's path that the kernel takes (sun_path, less its closing zero)."""


def runtime_dir() -> Path:
    """The folder of this account's sockets: the override, $XDG_RUNTIME_DIR/switchgear, or one under /tmp by uid."""
    if override := os.environ.get("SWITCHGEAR_RUNTIME_DIR"):
        return Path(override).absolute()
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "switchgear"
    return Path("/tmp") / f"switchgear-{os.getuid()}"  # noqa: S108  owner and mode are checked before use


def socket_path(environment: str) -> Path:
    """Where this account's engine of an environment listens.

    Raises:
        ConfigError: the path is longer than a socket's path may be.
    """
    return _short_enough(runtime_dir() / f"{environment}.sock")


def reachable_socket(environment: str) -> Path:
    """Where a console should look: the system's engine when there is one of this name, else this account's own."""
    system = SYSTEM_SOCKETS / f"{environment}.sock"
    if not os.environ.get("SWITCHGEAR_RUNTIME_DIR") and system.exists():
        return system
    return socket_path(environment)


def state_dir(environment: str) -> Path:
    """Where an engine keeps its journal, audit log, log file and lock."""
    if override := os.environ.get("SWITCHGEAR_STATE_DIR"):
        return Path(override).absolute() / environment
    from platformdirs import user_state_path

    return user_state_path("switchgear") / environment


def spans_path() -> Path:
    """Where `switchgear collect` keeps the spans that it receives, and where the adapter `otlp` looks for them."""
    return state_dir("traces") / "spans.sqlite"


def opened_path(environment: str) -> Path:
    """Where `switchgear open` puts the file that the environment `open-…` shows."""
    return state_dir(environment) / "bundle.json.gz"


def game_path(environment: str) -> Path:
    """Where `switchgear gameday` puts what is played in the environment `gameday-…`."""
    return state_dir(environment) / "game.json"


def config_path() -> Path:
    """The config file, whether or not it exists."""
    if override := os.environ.get("SWITCHGEAR_CONFIG"):
        return Path(override).absolute()
    from platformdirs import user_config_path

    return user_config_path("switchgear") / "config.yaml"


def private_dir(path: Path, *, group: int | None = None) -> Path:
    """Make a folder that only this account may use, or check that it is one; `group` may pass through it as well.

    Raises:
        ConfigError: it belongs to somebody else, others may enter it, or it cannot be made.
    """
    wanted = 0o700 if group is None else 0o710
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise ConfigError(f"{path} is no folder (a link is not followed); remove it")
        if found.st_uid != os.geteuid():
            raise ConfigError(f"{path} belongs to uid {found.st_uid}, not to you; remove it, or set {_VARIABLES}")
        if group is not None:
            os.chown(path, -1, group)
            path.chmod(wanted)
        elif stat.S_IMODE(found.st_mode) & 0o067:  # A group that may pass reaches only what is open to it in there.
            raise ConfigError(
                f"others may enter {path} (mode {stat.S_IMODE(found.st_mode):04o}); "
                f"`chmod 700 {path}` after a look inside, or set {_VARIABLES}"
            )
    except OSError as error:
        raise ConfigError(f"{path} cannot be used: {error.strerror}; set {_VARIABLES}") from error
    return path


def trusted_socket(path: Path) -> bool:
    """Whether the folder of a socket is one in which only its owner, root or this account can have put it."""
    try:
        folder = path.parent.lstat()
    except OSError:
        return True  # There is nothing there to be fooled by.
    if not stat.S_ISDIR(folder.st_mode) or stat.S_IMODE(folder.st_mode) & 0o022:
        return False
    return folder.st_uid in (os.geteuid(), 0) or path.parent == SYSTEM_SOCKETS or _asked_for(path)


_VARIABLES = "SWITCHGEAR_RUNTIME_DIR (sockets) or SWITCHGEAR_STATE_DIR (journal, audit log) to another place"


def _asked_for(path: Path) -> bool:
    return bool(os.environ.get("SWITCHGEAR_RUNTIME_DIR")) and path.parent == runtime_dir()


def _short_enough(path: Path) -> Path:
    length = len(os.fsencode(path))
    if length > LONGEST_SOCKET_PATH:
        raise ConfigError(
            f"{path} is {length} bytes long and a socket's path may have {LONGEST_SOCKET_PATH}; "
            "set SWITCHGEAR_RUNTIME_DIR to a shorter place"
        )
    return path
