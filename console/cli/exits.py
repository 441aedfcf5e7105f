"""What the exit code of every command says."""

from enum import IntEnum

from console.domain.actions import Outcome
from console.domain.health import Level


class Exit(IntEnum):
    """Exit codes. `status` uses the first four, `act` the ones from OK and LOST on."""

    OK = 0
    """All well; or only what somebody meant (an override); or the action is verified on every replica."""
    WARN = 1
    """Something is not well."""
    BAD = 2
    """Something is bad."""
    LOST = 3
    """Nobody knows: a source is stale, or the engine cannot be reached."""
    REFUSED = 4
    """The engine said no before anything was done, or the answer at the prompt was no."""
    FAILED = 5
    """The backend refused; what was changed has been put back."""
    UNKNOWN = 6
    """The answer was lost and no reading could tell."""
    UNVERIFIED = 7
    """The backend took the call, and not every replica has shown the effect."""
    STOPPED = 8
    """Somebody ended it early: what was moved stays where it is."""
    USAGE = 64
    """The command line is wrong."""
    CONFIG = 78
    """The config, or a place on disk, cannot be used."""
    INTERRUPTED = 130
    """Ctrl-C."""
    TERMINATED = 143
    """SIGTERM, on the screen."""


OF_LEVEL = {
    Level.OK: Exit.OK,
    Level.NOTICE: Exit.OK,
    Level.WARN: Exit.WARN,
    Level.BAD: Exit.BAD,
    Level.STALE: Exit.LOST,
}
"""The exit code of a platform's worst level."""

OF_OUTCOME = {
    Outcome.PENDING: Exit.UNVERIFIED,
    Outcome.VERIFIED: Exit.OK,
    Outcome.APPLIED: Exit.UNVERIFIED,
    Outcome.CONVERGING: Exit.UNVERIFIED,
    Outcome.UNVERIFIED: Exit.UNVERIFIED,
    Outcome.FAILED: Exit.FAILED,
    Outcome.STOPPED: Exit.STOPPED,
    Outcome.UNKNOWN: Exit.UNKNOWN,
    Outcome.REVERTED: Exit.FAILED,
}
"""The exit code of an action's outcome."""
