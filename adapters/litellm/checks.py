"""The rows of `switchgear check`: what was tried, and what came of it. Nothing is changed."""

import asyncio

from adapters.litellm.fleet import Fleet
from adapters.litellm.platform import Platform
from adapters.litellm.readings import switch_options
from adapters.litellm.replica import Replica
from console.domain.errors import BackendError
from console.domain.wire import CheckRow


async def check_rows(platform: Platform) -> tuple[CheckRow, ...]:
    """Every row; never raises BackendError."""
    fleets: list[Fleet] = []
    rows: list[CheckRow] = []
    for found in await asyncio.gather(*(_of_replica(platform, replica, fleets) for replica in platform.replicas)):
        rows += found
    rows.append(await _of_standing(platform))
    rows.append(await _of_redis(platform))
    rows += _of_verbs(platform, fleets[0] if fleets else platform.fleet)
    return tuple(rows)


async def _of_replica(platform: Platform, replica: Replica, fleets: list[Fleet]) -> list[CheckRow]:
    try:
        await replica.reader.body("/health/liveliness", ("json",))
        fleet = await replica.read_fleet(platform.options.providers)
    except BackendError as error:
        return [_row(platform, "reachable", False, str(error.failure), replica.name)]
    fleets.append(fleet)
    rows = [_row(platform, "reachable", True, replica.url, replica.name)]
    words = f"{len(fleet.models)} deployments on {len(fleet.groups)} routes"
    rows.append(_row(platform, "read deployments", True, words, replica.name))
    try:
        page = await replica.reader.body("/metrics/", ("text/plain", "openmetrics"))
        has_any = b"litellm_" in page
        words = "there" if has_any else 'empty: set litellm_settings.callbacks to ["prometheus"]'
        rows.append(_row(platform, "metrics", has_any, words, replica.name))
    except BackendError as error:
        rows.append(_row(platform, "metrics", False, str(error.failure), replica.name))
    return rows


async def _of_standing(platform: Platform) -> CheckRow:
    try:
        _, standing = await platform.first(platform.find_out)
        if standing.sees_all:
            await platform.first(platform.read_settings)
    except BackendError as error:
        return _row(platform, "key", False, str(error.failure))
    database = "with a database" if standing.database else "without a database"
    return _row(platform, "key", True, f"{standing.role} on LiteLLM {standing.version or '?'} {database}")


async def _of_redis(platform: Platform) -> CheckRow:
    if platform.cooldowns is None:
        return _row(platform, "redis", None, "not configured: cooldowns are guessed, models of the config file stay")
    try:
        await platform.cooldowns.read(())
    except BackendError as error:
        platform.redis_state = f"{error.kind}: {error.failure.message}"
        return _row(platform, "redis", False, str(error.failure))
    platform.redis_state = "ok"
    return _row(platform, "redis", True, platform.cooldowns.where)


def _of_verbs(platform: Platform, fleet: Fleet) -> list[CheckRow]:
    """For each verb on how many objects it works, and the first reason why not."""
    powers = platform.powers()
    whys: dict[str, list[str]] = {"trip": [], "reset": [], "weight": [], "switch": []}
    for model in fleet.models.values():
        for ability in powers.of_model(model, fleet):
            whys[ability.verb].append("" if ability.able else ability.reason)
    for route in fleet.groups:
        options, why = switch_options(fleet, powers, route)
        whys["switch"].append("" if options else why)
    return [_of_verb(platform, verb, found) for verb, found in whys.items()]


def _of_verb(platform: Platform, verb: str, whys: list[str]) -> CheckRow:
    if not whys:
        return _row(platform, verb, None, "there is nothing to try it on")
    able = whys.count("")
    reason = next((why for why in whys if why), "")
    words = f"{able} of {len(whys)}" + (f"; {reason}" if reason else "")
    return _row(platform, verb, able > 0, words)


def _row(platform: Platform, what: str, ok: bool | None, words: str, replica: str = "") -> CheckRow:
    return CheckRow(source=platform.source, replica=replica, what=what, ok=ok, words=words)
