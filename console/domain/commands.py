"""Programs that the config names and a runbook starts: what is asked for, and what came of it."""

import msgspec

from console.domain.actions import Outcome

OUTPUT_KEPT = 8192
"""Characters of a command's output that are kept: its last."""


class CommandIntent(msgspec.Struct, frozen=True, kw_only=True):
    """One command of the config's, with the arguments that are added to its own."""

    name: str
    """Its key under `commands`."""
    args: tuple[str, ...] = ()
    """Each is one argument as it is: no shell reads it."""
    reason: str = ""
    """Required, as with any action."""
    via: str = ""
    """Where it was asked: `runbook`; for the audit log only."""
    key: str = ""
    """Idempotency key, as `Intent.key`; required: a command is never begun twice under one."""


class CommandReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command."""

    id: str
    intent: CommandIntent
    operator: str
    argv: tuple[str, ...]
    """The program and all its arguments."""
    started_at: float
    """Unix seconds."""
    outcome: Outcome = Outcome.PENDING
    """PENDING: it runs; APPLIED: it ended with 0, which proves no effect; FAILED: it did not start, ended with another
    number, or was killed at its time; UNKNOWN: the engine ended meanwhile, and it is not begun again."""
    exit_code: int | None = None
    """None unless it ended by itself; negative when a signal ended it."""
    output: str = ""
    """The end of what it said, standard error included: lines of clean text."""
    words: str = ""
    ended_at: float | None = None
