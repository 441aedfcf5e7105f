"""What an operator has arranged for themselves: theme, keys, and for each screen its sort, columns and filter.

A small JSON file. It is written whole and put in place in one move; one that cannot be read is set aside, not lost.
"""

import os
import tempfile
from pathlib import Path

import msgspec


class RoomPreferences(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One screen's arrangement."""

    sort: str = ""
    """A column's name; empty keeps the screen's own order."""
    descending: bool = False
    hidden: tuple[str, ...] = ()
    """Names of the hidden columns."""
    filter: str = ""
    failed: bool = False
    """Whether only what failed is shown."""


class Preferences(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that survives a restart."""

    theme: str = ""
    """A theme's name; empty takes the one that fits the terminal."""
    mouse: bool = False
    """Whether the console takes the mouse; then the terminal's own selection needs Shift."""
    keymap: dict[str, str] = {}
    """Command name → key, as in `{"trip": "T"}`."""
    rooms: dict[str, RoomPreferences] = {}

    def room(self, name: str) -> RoomPreferences:
        """The arrangement of one screen."""
        return self.rooms.get(name, RoomPreferences())

    def with_theme(self, theme: str) -> "Preferences":
        """The same with another theme."""
        return msgspec.structs.replace(self, theme=theme)

    def with_room(self, name: str, room: RoomPreferences) -> "Preferences":
        """The same with another arrangement of one screen."""
        return msgspec.structs.replace(self, rooms={**self.rooms, name: room})


def load(path: Path | None) -> tuple[Preferences, str]:
    """Read the file.

    Returns:
        The preferences (the defaults when there is no file), and what to tell the operator: empty, or that the
        file could not be read and where it is now.
    """
    if path is None:
        return Preferences(), ""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Preferences), ""
    except FileNotFoundError:
        return Preferences(), ""
    except OSError as error:
        return Preferences(), f"preferences not read: {error}"
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        return Preferences(), _set_aside(path, error)


def _set_aside(path: Path, error: Exception) -> str:
    aside = path.with_name(path.name + ".broken")
    try:
        os.replace(path, aside)
    except OSError:
        return f"preferences not read ({error}); {path} is left as it is"
    return f"preferences not read ({error}); the file is now {aside}"


def save(path: Path | None, preferences: Preferences) -> str:
    """Write the file, readable by its owner only; on a full or read-only disk the old one stands.

    Returns:
        Empty, or why it could not be written.
    """
    if path is None:
        return ""
    text = msgspec.json.format(msgspec.json.encode(preferences), indent=2) + b"\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except OSError:
            os.unlink(name)
            raise
    except OSError as error:
        return f"preferences not saved: {error}"
    return ""
