"""The screen's hold on the engine: attach, listen, notice silence, and attach again until the console ends."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from console.domain.errors import EngineLost, Refusal
from console.domain.ports import EngineApi
from console.domain.wire import HEARTBEAT_S, PROTOCOL, Event, Hello

SILENCE_S = 3 * HEARTBEAT_S
"""An engine that sends nothing for this long is lost."""
FIRST_WAIT_S = 0.25
LONGEST_WAIT_S = 5.0


class Listener(Protocol):
    """Who is told."""

    def attached(self, hello: Hello) -> None:
        """The engine answered; its snapshot follows."""
        ...

    def heard(self, event: Event) -> None:
        """One event, in order."""
        ...

    def detached(self, why: str) -> None:
        """The engine is lost or says no; what was heard may no longer be true. Called again when `why` changes."""
        ...


async def follow(
    api: EngineApi,
    listener: Listener,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    rng: random.Random | None = None,
    silence_s: float = SILENCE_S,
) -> None:
    """Stay attached until cancelled; never raises anything else.

    Args:
        api: the engine.
        listener: who is told.
        sleep: how to wait between two tries.
        rng: spreads the tries of many consoles.
        silence_s: how long the engine may say nothing.
    """
    wait, spread = FIRST_WAIT_S, rng or random.Random()  # noqa: S311 - spreads load, hides nothing
    while True:
        why = ""
        try:
            hello = await api.hello()
            _same_protocol(hello)
            listener.attached(hello)
            async for event in _until_silent(api.events(), silence_s):
                listener.heard(event)
                wait = FIRST_WAIT_S
            why = "the engine ended; looking for it again"
        except (EngineLost, Refusal) as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a client meets, the screen stays up and says so
            why = f"{type(error).__name__}: {error}"
        listener.detached(why)
        await sleep(wait * spread.uniform(0.8, 1.2))
        wait = min(LONGEST_WAIT_S, wait * 1.6)


def _same_protocol(hello: Hello) -> None:
    if hello.protocol != PROTOCOL:
        older = "the engine" if hello.protocol < PROTOCOL else "this console"
        raise EngineLost(
            f"engine {hello.version} speaks protocol {hello.protocol}, this console {PROTOCOL}: {older} is the older"
            f" one; update it, or end the engine with `switchgear stop {hello.environment}` and start again"
        )


async def _until_silent(events: AsyncIterator[Event], silence_s: float) -> AsyncIterator[Event]:
    while True:
        try:
            async with asyncio.timeout(silence_s):
                event = await anext(events)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise EngineLost(f"the engine has said nothing for {silence_s:.0f} s; attaching again") from None
        yield event
