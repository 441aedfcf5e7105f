"""Doing the steps of this adapter's plans: one write, then a word to the other replicas."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from adapters.litellm.platform import Platform
from adapters.litellm.replica import Replica
from adapters.litellm.standing import read_settings
from console.domain.actions import Step
from console.domain.errors import BackendError, ErrorKind

Write = Callable[[Replica], Awaitable[object]]


async def execute(platform: Platform, step: Step) -> None:
    """Do one step; when it is refused, what the key may do is found out anew.

    Raises:
        BackendError: see `ports.Actuator.execute`.
    """
    try:
        await _do(platform, step)
    except BackendError as error:
        if error.kind in (ErrorKind.FORBIDDEN, ErrorKind.UNAUTHORISED, ErrorKind.UNSUPPORTED):
            platform.standing = None
        raise


async def _do(platform: Platform, step: Step) -> None:
    args = step.args
    match step.op:
        case "model.block" | "model.unblock":
            path = "/" + step.op.replace(".", "/")
            await _change(platform, lambda replica: replica.actor.write("POST", path, {"model_id": args["id"]}))
        case "model.patch":
            path = f"/model/{quote(args['id'], safe='')}/update"
            body = {"litellm_params": {args["field"]: args["value"]}}
            await _change(platform, lambda replica: replica.actor.write("PATCH", path, body))
        case "alias.set":
            await _change(platform, lambda replica: _set_alias(platform, replica, step))
        case "cooldown.set":
            await _trip(platform, args["id"], float(args["seconds"]))
        case "cooldown.delete":
            await _release(platform, args["id"])
        case _:
            raise BackendError(ErrorKind.UNSUPPORTED, f"{step.op} is no step of this adapter")


async def _change(platform: Platform, write: Write) -> None:
    """Write at one replica, and have the others look into the database at once instead of within 30 s.

    A replica that cannot be told comes to it by itself, and the proof says whether it has.
    """
    for replica in platform.replicas:
        replica.models_changed()
    wrote_at, _ = await platform.first(write, next_on=(ErrorKind.UNREACHABLE,))
    others = [replica for replica in platform.replicas if replica is not wrote_at]
    await asyncio.gather(*(_nudge(replica) for replica in others))


async def _nudge(replica: Replica) -> None:
    try:
        await replica.nudge()
    except BackendError:
        return


async def _set_alias(platform: Platform, replica: Replica, step: Step) -> None:
    """Change one alias and keep the others: LiteLLM replaces the whole map."""
    if len(platform.replicas) > 1:
        await replica.nudge()  # its own copy of the settings may be seconds old
    aliases = (await read_settings(replica.reader)).aliases
    aliases.pop(step.args["route"], None)
    if step.args["to"] is not None:
        aliases[step.args["route"]] = step.args["to"]
    await replica.actor.write("POST", "/config/update", {"router_settings": {"model_group_alias": aliases}})


async def _trip(platform: Platform, deployment: str, seconds: float) -> None:
    if platform.cooldowns is None:
        raise BackendError(ErrorKind.UNSUPPORTED, "no Redis is configured any more")
    await platform.cooldowns.trip(deployment, seconds, platform.clock.now())
    platform.released.pop(deployment, None)


async def _release(platform: Platform, deployment: str) -> None:
    if platform.cooldowns is None:
        raise BackendError(ErrorKind.UNSUPPORTED, "no Redis is configured any more")
    now = platform.clock.now()
    cooldown = (await platform.cooldowns.read([deployment])).get(deployment)
    await platform.cooldowns.release(deployment)
    if cooldown is not None and cooldown.until > now:
        platform.released[deployment] = cooldown.copy_lasts_until(now)
