"""An engine that kills itself at one chosen instant: `python -m tests.real.mortal_engine ENV INSTANT [NTH]`.

Instants are counted from the confirmation of the NTH action (1 by default; an expiry is an action of its own): before
and after every write to the audit log, and before and after every call to the backend. Nothing else differs from the
engine as it is shipped. Before it dies it writes the instant's name to the file in SWITCHGEAR_LAST_INSTANT.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from console.control.audit import Audit, Entry
from console.control.rows import RowKind
from console.domain.actions import Step
from console.domain.wire import AuditRow
from console.runtime import Runtime
from console.server import main as server

VARIABLE = "SWITCHGEAR_LAST_INSTANT"
"""Names the file that says where the engine died."""


class _Fate:
    """Counts instants, and ends the process at the chosen one."""

    def __init__(self, instant: int, nth: int) -> None:
        self._left = instant
        self._actions_left = nth

    def confirmed(self) -> None:
        """An action is about to be confirmed."""
        self._actions_left -= 1

    def instant(self, words: str) -> None:
        """Go on, or die here."""
        if self._actions_left > 0:
            return
        if self._left == 0:
            Path(os.environ[VARIABLE]).write_text(words)
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


def _doom_audit(fate: _Fate) -> None:
    original = Audit.append_all

    async def append_all(self: Audit, entries: Sequence[Entry]) -> tuple[AuditRow, ...]:
        events = "+".join(str(entry.event) for entry in entries)
        if any(entry.event == RowKind.CONFIRMED for entry in entries):
            fate.confirmed()
        fate.instant(f"before writing {events}")
        rows = await original(self, entries)
        fate.instant(f"after writing {events}")
        return rows

    Audit.append_all = append_all  # type: ignore[method-assign]


def _doom_adapter(kind: Any, fate: _Fate) -> None:
    original = kind.execute

    async def execute(self: Any, step: Step) -> None:
        fate.instant(f"before calling {step.op}")
        await original(self, step)
        fate.instant(f"after calling {step.op}, its answer unread")

    kind.execute = execute


def _doom(fate: _Fate) -> None:
    _doom_audit(fate)
    parts = vars(server)
    original = parts["build"]

    @asynccontextmanager
    async def build(*args: Any, **named: Any) -> AsyncIterator[Runtime]:
        async with original(*args, **named) as runtime:
            for kind in {type(adapter) for adapter in runtime.adapters.values()}:
                _doom_adapter(kind, fate)
            yield runtime

    parts["build"] = build


if __name__ == "__main__":
    environment, instant, *nth = sys.argv[1:]
    _doom(_Fate(int(instant), int(nth[0]) if nth else 1))
    sys.exit(server.main([environment, "--stay"]))
