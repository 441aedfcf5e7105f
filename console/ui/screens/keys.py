"""The keys as an operator has set them, written as a person reads them."""

from collections.abc import Mapping

from console.ui.commands import COMMANDS
from console.ui.keymap import key_of, spell


def spelled(keymap: Mapping[str, str]) -> dict[str, str]:
    """Command name → its key: `trip` → `t`; commands without a key are not in it."""
    found = {command.name: key_of(command, keymap) for command in COMMANDS}
    return {name: spell(key) for name, key in found.items() if key}
