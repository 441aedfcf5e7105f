"""Work that is brought to its end although somebody wants to stop in the middle of it."""

import asyncio
from collections.abc import Coroutine
from typing import Any

LONGEST_S = 8.0
"""How long a cancelled caller waits for it: less than the engine gives to a carrier that is told to let go."""


async def unbroken(work: Coroutine[Any, Any, None]) -> None:
    """Do it; when the caller is cancelled meanwhile it is finished first, as long as that takes no more than a moment.

    Raises:
        BackendError: what the work raises.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=LONGEST_S)
        if not task.done():
            task.cancel()
        elif not task.cancelled():
            task.exception()  # it is looked up by whoever goes on
        raise
