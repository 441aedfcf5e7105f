"""Whether every replica shows what a plan has promised, read from its own router's memory."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from adapters.litellm.platform import Platform
from adapters.litellm.replica import Replica
from adapters.litellm.state import field_of, fingerprint, first_field
from console.domain.actions import Expectation, Plan, Proof
from console.domain.errors import BackendError, ErrorKind
from console.domain.text import clean


async def generation(platform: Platform, plan: Plan) -> str:
    """The fingerprint of the replaced fields as the first replica that answers has them now.

    Raises:
        BackendError: what the reads met.
    """
    subject = plan.expects[0].ref.name
    state: dict[str, Any] = {}
    for field in plan.before:
        state[field] = await first_field(platform, field, subject)
    return fingerprint(state)


async def prove(platform: Platform, plan: Plan, *, undone: bool = False) -> tuple[Proof, ...]:
    """One proof for each replica; never raises BackendError."""
    expects = plan.undo_expects if undone else plan.expects
    return tuple(await asyncio.gather(*(_prove(platform, replica, expects) for replica in platform.replicas)))


async def _prove(platform: Platform, replica: Replica, expects: Sequence[Expectation]) -> Proof:
    seen: list[str] = []
    holds: bool | None = True
    for expected in expects:
        try:
            found, words = await _look(platform, replica, expected)
        except BackendError as error:
            gone = error.kind is ErrorKind.UNSUPPORTED
            found, words = (False if gone else None), clean(str(error.failure.message), 120)
        holds = None if holds is None or found is None else holds and found
        seen.append(words)
    return Proof(replica=replica.name, holds=holds, seen="; ".join(seen), read_at=platform.clock.now())


async def _look(platform: Platform, replica: Replica, expected: Expectation) -> tuple[bool | None, str]:
    if expected.field in ("cooldown", "any cooldown"):
        return await _look_at_cooldown(platform, replica, expected)
    found = await field_of(platform, replica, expected.field, expected.ref.name)
    return _same(found, expected.value), f"{expected.field} {_shown(found)}"


async def _look_at_cooldown(platform: Platform, replica: Replica, expected: Expectation) -> tuple[bool | None, str]:
    """LiteLLM shows no cooldown, so this is the key in Redis, a replica that lives, and the time that copies last."""
    await replica.reader.body("/health/liveliness", ("json",))
    if replica.redis_trouble:
        return False, f"this replica {replica.redis_trouble}"
    name, wanted = expected.ref.name, bool(expected.value)
    found = bool(await field_of(platform, replica, expected.field, name))
    copied_until = platform.released.get(name, 0.0)
    if not wanted and not found and copied_until > platform.clock.now():
        until = time.strftime("%H:%M:%S", time.gmtime(copied_until))
        return False, f"gone from Redis; its own copy may last until {until} UTC"
    sort = "cooldown" if expected.field == "any cooldown" else "trip of an operator"
    return found == wanted, f"in Redis: {'a' if found else 'no'} {sort}"


def _same(found: Any, expected: Any) -> bool:
    if isinstance(found, int | float) and isinstance(expected, int | float):
        return abs(float(found) - float(expected)) < 1e-9
    return bool(found == expected)


def _shown(value: Any) -> str:
    return "none" if value is None else clean(f"{value:g}" if isinstance(value, float) else str(value), 60)
