"""How an engine that goes to the background tells the one who started it that it is there, or why not."""

import os
import sys

READY = "ready"
"""The socket can be connected to."""
RUNS = "runs"
"""Another engine of this environment runs already; the words say which."""
ERROR = "error"
"""It cannot start; the words say why."""
CONFIG = "config"
"""It cannot start with this config, or in this place on disk; the words say what is wrong."""

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_CONFIG = 78
"""EX_CONFIG."""
EXIT_RUNS = 75
"""EX_TEMPFAIL: another engine has the environment."""


class Report:
    """One line to the starter on standard output (background), or words for a person on standard error."""

    def __init__(self, *, background: bool) -> None:
        self._background = background

    def say(self, word: str, words: str) -> None:
        """`word` is one of those above; `words` may hold several lines. A starter that is gone is no error."""
        try:
            if self._background:
                sys.stdout.write(f"{word} {words}\n")
                sys.stdout.flush()
            else:
                sys.stderr.write(f"switchgear: {words}\n")
        except OSError:
            return
        finally:
            if self._background:
                self._let_go()

    @staticmethod
    def _let_go() -> None:
        """Leave the starter's pipe: from now on nothing of it can end or block this process."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
        os.close(nowhere)
