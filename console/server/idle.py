"""When an engine may go: nobody needs it any more, or what it was doing has come to a point."""

from console.domain.actions import Outcome, Receipt, Stage
from console.runtime import Runtime
from console.server.door import Door

LAST_CALLS_S = 10.0
"""How long an engine that was told to end waits for calls to a backend that have begun."""


async def idle(door: Door) -> None:
    """Return when nobody has been attached and nothing was pending for the environment's `idle_exit` seconds.

    A run that is not over is pending, even one that awaits a person: it goes on when they are back.
    """
    runtime = door.runtime
    limit = runtime.config.idle_exit
    while True:
        await runtime.clock.sleep(min(1.0, max(0.05, limit / 4)))
        if door.attached or runtime.control.pending or runtime.runner.pending:
            door.touch()
        elif runtime.clock.monotonic() - door.last_used >= limit:
            return


async def settled(runtime: Runtime) -> None:
    """Return when no call to a backend is under way, or after `LAST_CALLS_S`.

    An answer that is waited for now need not be looked up at the next start. What lasts is not waited for: the next
    engine goes on with it.
    """
    end = runtime.clock.monotonic() + LAST_CALLS_S
    while runtime.clock.monotonic() < end:
        if not any(map(_calls, runtime.store.board.receipts.values())):
            return
        await runtime.clock.sleep(0.05)


def _calls(receipt: Receipt) -> bool:
    """Whether an action waits for the answer to a call."""
    return receipt.stage in (Stage.CONFIRMED, Stage.EXECUTING) and receipt.outcome is not Outcome.CONVERGING
