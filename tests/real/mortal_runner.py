"""An engine that kills itself at a durable write of a run that it follows: `python -m tests.real.mortal_runner ENV`.

Instants are before and after every write of a run (`runbooks.keeping`) and to the audit log. The file that
SWITCHGEAR_LAST_INSTANT names holds those at which it has to die, one a line: by their name, or by their number (`@3` is
the fourth that it or an engine before it came to). It takes its own death out of that file. Nothing else differs from
the engine as it is shipped. Which instants were reached stands in the neighbour `.trail`, where it died in `.died`.
"""

import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from console.control.audit import Audit, Entry
from console.domain.runbooks import Evidence
from console.domain.wire import AuditRow
from console.server import main as server
from runbooks.keeping import Keeping
from runbooks.session import Session
from tests.real.mortal_engine import VARIABLE

_TOOK = re.compile(r"in [0-9.]+ s")
"""What differs from time to time in the name of one instant."""


class _Fate:
    """Counts instants, and ends the process at the first that it has to die at."""

    def __init__(self, dooms: Path) -> None:
        self._dooms = dooms
        self._wanted = lines_of(dooms)
        self._count = len(lines_of(dooms.with_suffix(".trail")))

    def instant(self, words: str) -> None:
        """Go on, or die here."""
        words = _TOOK.sub("in a while", words)
        _add(self._dooms.with_suffix(".trail"), words)
        for doom in (words, f"@{self._count}"):
            if doom in self._wanted:
                self._wanted.remove(doom)
                self._dooms.write_text("\n".join(self._wanted))
                _add(self._dooms.with_suffix(".died"), words)
                os.kill(os.getpid(), signal.SIGKILL)
        self._count += 1


def lines_of(file: Path) -> list[str]:
    """The lines of a file that may not be there yet."""
    return file.read_text().splitlines() if file.exists() else []


def _add(file: Path, line: str) -> None:
    with file.open("a") as lines:
        lines.write(f"{line}\n")


def _doom_runs(fate: _Fate) -> None:
    begin, save = Keeping.begin, Keeping.save

    async def mortal_begin(self: Keeping, session: Session, uid: int, book: str, path: str) -> None:
        fate.instant(f"before the run is begun at {session.phase}")
        await begin(self, session, uid, book, path)
        fate.instant(f"after the run is begun at {session.phase}")

    async def mortal_save(self: Keeping, session: Session, evidence: Sequence[Evidence] = ()) -> None:
        where = f"saving {session.run.state} {session.run.current or '-'} {session.phase}"
        fate.instant(f"before {where}")
        await save(self, session, evidence)
        fate.instant(f"after {where}")

    Keeping.begin = mortal_begin  # type: ignore[method-assign]
    Keeping.save = mortal_save  # type: ignore[method-assign]


def _doom_audit(fate: _Fate) -> None:
    original = Audit.append_all
    verbs: dict[str, str] = {}

    def named(entry: Entry) -> str:
        plan = getattr(entry.body, "plan", None)
        if plan is not None:
            verbs[entry.action_id] = f"{plan.verb} {plan.target.name}"
        about = verbs.get(entry.action_id, "")
        if isinstance(entry.body, dict):
            about = str(entry.body.get("words") or entry.body.get("order") or "")[:60]
        return f"{entry.event} {about} {getattr(entry.body, 'words', '')[:40] if not plan else ''}".strip()

    async def append_all(self: Audit, entries: Sequence[Entry]) -> tuple[AuditRow, ...]:
        where = named(entries[-1])
        fate.instant(f"before writing {where}")
        rows = await original(self, entries)
        fate.instant(f"after writing {where}")
        return rows

    Audit.append_all = append_all  # type: ignore[method-assign]


if __name__ == "__main__":
    fate = _Fate(Path(os.environ[VARIABLE]))
    _doom_audit(fate)
    _doom_runs(fate)
    sys.exit(server.main([sys.argv[1], "--stay"]))
