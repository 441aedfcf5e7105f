"""The CEL library, without the command line that comes with it."""

import sys
from types import ModuleType


def without_command_line() -> None:
    """Call this before `import cel`.

    Its package imports its own command line at once, and with it an editor for terminals and the highlighters of many
    languages: 21 MB and a tenth of a second, of which an engine uses nothing.
    """
    sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))
