"""The few fields that actions replace, read fresh: for plans, for their fingerprints and for proofs."""

import hashlib
from typing import Any

import msgspec

from adapters.http import decode
from adapters.litellm.cooldowns import Cooldown
from adapters.litellm.fleet import Fleet, Model, ModelPage, parse_fleet
from adapters.litellm.platform import Platform
from adapters.litellm.replica import Replica
from adapters.litellm.standing import read_settings
from console.domain.errors import BackendError, ErrorKind


async def fresh_fleet(platform: Platform, replica: Replica) -> Fleet:
    """What one replica's router has in memory now.

    Raises:
        BackendError: what the read met.
    """
    return await replica.read_fleet(platform.options.providers)


async def fresh_model(platform: Platform, replica: Replica, deployment: str) -> Model:
    """One deployment as one replica's router has it in memory now.

    Raises:
        BackendError: UNSUPPORTED when this replica does not have it, or what the read met.
    """
    where = f"GET {replica.url}/model/info"
    body = await replica.reader.body("/model/info", ("json",), {"litellm_model_id": deployment})
    found = parse_fleet(decode(body, ModelPage, where), platform.options.providers).models.get(deployment)
    if found is None:
        raise BackendError(ErrorKind.UNSUPPORTED, f"{deployment} is not known here", where=where)
    return found


async def cooldown_of(platform: Platform, deployment: str) -> Cooldown | None:
    """The cooldown of one deployment, or None; also when no Redis is configured.

    Raises:
        BackendError: what the read met.
    """
    if platform.cooldowns is None:
        return None
    return (await platform.cooldowns.read([deployment])).get(deployment)


async def field_of(platform: Platform, replica: Replica, field: str, name: str) -> Any:
    """One field of a deployment or route, as plans and expectations name it, read at one replica now.

    `blocked`, `weight` and `order` of a deployment and `alias` of a route are the replica's own memory;
    `cooldown` (whether an operator's trip is on) and `any cooldown` lie in the Redis that all share.

    Raises:
        BackendError: what the read met.
    """
    match field:
        case "blocked" | "weight" | "order":
            return getattr(await fresh_model(platform, replica, name), field)
        case "alias":
            return await _alias(platform, replica, name)
        case "cooldown" | "any cooldown":
            cooldown = await cooldown_of(platform, name)
            active = cooldown is not None and cooldown.until > platform.clock.now()
            return active and (field == "any cooldown" or (cooldown is not None and cooldown.ours))
    raise BackendError(ErrorKind.UNSUPPORTED, f"{field} is not a field of a plan for LiteLLM")


async def _alias(platform: Platform, replica: Replica, route: str) -> str | None:
    """Who answers for a route. Aliases that the router does not list (hidden ones) are taken from the settings."""
    found = (await fresh_fleet(platform, replica)).aliases.get(route)
    if found is not None:
        return found
    raw = (await read_settings(replica.reader)).aliases.get(route)
    return str(raw.get("model")) if isinstance(raw, dict) and raw.get("hidden") else None


async def first_field(platform: Platform, field: str, name: str) -> Any:
    """`field_of` at the first replica that answers.

    Raises:
        BackendError: what the reads met.
    """
    return (await platform.first(lambda replica: field_of(platform, replica, field, name)))[1]


def fingerprint(state: dict[str, Any]) -> str:
    """A short text that differs when any of the fields does."""
    return hashlib.sha256(msgspec.json.encode(state, order="sorted")).hexdigest()[:16]
