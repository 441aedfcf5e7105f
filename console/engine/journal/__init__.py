"""The journal: what was measured, said and alerted, in one SQLite file that survives the engine."""

from console.engine.journal.journal import Journal
from console.engine.journal.schema import JournalTooNew

__all__ = ["Journal", "JournalTooNew"]
