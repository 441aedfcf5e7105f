"""What exactly would be done, as data. Reads the backend and changes nothing."""

from typing import Any

from adapters.litellm.abilities import API
from adapters.litellm.cooldowns import LONG_COPY_S, LONG_S, SHORT_COPY_S
from adapters.litellm.fleet import Fleet, Model
from adapters.litellm.platform import Platform
from adapters.litellm.state import fingerprint, first_field, fresh_fleet, fresh_model
from console.domain.actions import Expectation, ExpiryHome, Plan, Step, Verb
from console.domain.errors import BackendError, ErrorKind
from console.domain.refs import Kind, Ref
from console.domain.text import clean

CONVERGE_S = 60.0
"""A replica that could not be told at once comes to a change by itself within 30 s."""

_AT_ONCE = "LiteLLM has no half-open: when this ends, the whole traffic is back at once"


async def plan_trip(platform: Platform, target: Ref, ttl_s: float) -> Plan:
    """Keep requests away from a deployment: a flag in the database, or a cooldown in Redis.

    Raises:
        BackendError: UNSUPPORTED with the reason, or what the reads met.
    """
    model, way = await _trippable(platform, target)
    name = _shown(model.id)
    if way == API:
        return await _build(
            platform,
            target,
            Verb.TRIP,
            field="blocked",
            after=True,
            step=_block_step(model.id, blocked=True),
            back=lambda before: _block_step(model.id, bool(before)),
            shows=lambda value: f"{name} is blocked" if value else f"{name} is not blocked",
            words=f"block {name} in LiteLLM's database",
            notes=(_AT_ONCE,),
        )
    copy_s = LONG_COPY_S if ttl_s > LONG_S else SHORT_COPY_S
    early = f"ended early, replicas may go on with their copy of it for {copy_s:.0f} s"
    return await _build(
        platform,
        target,
        Verb.TRIP,
        field="cooldown",
        after=True,
        step=_cooldown_step(model.id, ttl_s),
        back=lambda before: _release_step(model.id),
        shows=lambda value: f"{name} is in an operator's cooldown" if value else f"{name} is in no operator's cooldown",
        words=f"put {name} into a cooldown of {ttl_s:.0f} s through Redis",
        notes=("Redis ends it by itself, even when nobody watches", early, _AT_ONCE),
        expiry_home=ExpiryHome.BACKEND,
        converge_s=copy_s + 15.0,
    )


async def plan_reset(platform: Platform, target: Ref) -> Plan:
    """Let requests back to a deployment, by the way by which they are kept away now.

    Raises:
        BackendError: UNSUPPORTED with the reason, or what the reads met.
    """
    model, way = await _trippable(platform, target)
    name = _shown(model.id)
    if way == API and (model.blocked or not await first_field(platform, "any cooldown", model.id)):
        return await _build(
            platform,
            target,
            Verb.RESET,
            field="blocked",
            after=False,
            step=_block_step(model.id, blocked=False),
            back=(lambda before: _block_step(model.id, bool(before))) if model.blocked else None,
            shows=lambda value: f"{name} is blocked" if value else f"{name} is not blocked",
            words=f"unblock {name} in LiteLLM's database",
            notes=("a cooldown that LiteLLM began itself goes on to its end",),
            expiry_home=ExpiryHome.NOBODY,
        )
    copies = f"replicas may go on with their copy for {SHORT_COPY_S:.0f} s, or {LONG_COPY_S:.0f} s of a long cooldown"
    return await _build(
        platform,
        target,
        Verb.RESET,
        field="any cooldown",
        after=False,
        step=_release_step(model.id),
        back=None,
        shows=lambda value: f"{name} is in {'a' if value else 'no'} cooldown",
        words=f"delete the cooldown of {name} in Redis",
        notes=(copies, "when it still fails, LiteLLM begins the next cooldown at once"),
        expiry_home=ExpiryHome.NOBODY,
        converge_s=LONG_COPY_S + 15.0,
    )


async def plan_weight(platform: Platform, target: Ref, weight: float) -> Plan:
    """Give a deployment another weight among those of its route.

    Raises:
        BackendError: UNSUPPORTED with the reason, or what the reads met.
    """
    fleet, model = await _model(platform, target)
    if why := platform.powers().weight(model, fleet):
        raise BackendError(ErrorKind.UNSUPPORTED, why)
    value = float(weight)
    siblings = [fleet.models[name] for name in fleet.groups.get(model.group, ()) if name != model.id]
    notes = []
    if model.weight is None:
        notes.append("it had no weight, which beside weights counts as 0; the way back sets 0")
    if not value and not any(sibling.weight for sibling in siblings):
        notes.append("no weight is left on this route: LiteLLM will then share requests evenly")
    if model.order is not None and any(
        (sibling.order or 0) < model.order for sibling in siblings if sibling.order is not None
    ):
        notes.append("it is not first in the order: the weight counts only when those before it fail")
    return await _patch(platform, target, Verb.WEIGHT, model, "weight", value, tuple(notes))


async def plan_switch(platform: Platform, target: Ref, to: str, mechanism: str) -> Plan:
    """Send a route elsewhere: by an alias to another route, or by the order of its own deployments.

    Raises:
        BackendError: UNSUPPORTED with the reason, or what the reads met.
    """
    await _up_to_date(platform)
    _, fleet = await platform.first(lambda replica: fresh_fleet(platform, replica))
    if target.kind is not Kind.ROUTE or (target.name not in fleet.groups and target.name not in fleet.aliases):
        raise BackendError(ErrorKind.UNSUPPORTED, f"{target.name} is no route of this LiteLLM")
    if (mechanism or "alias") == "alias" and (to in fleet.groups or mechanism == "alias"):
        return await _plan_alias(platform, target, to, fleet)
    if mechanism in ("", "order") and to in fleet.groups.get(target.name, ()):
        return await _plan_order(platform, target, fleet.models[to], fleet)
    raise BackendError(ErrorKind.UNSUPPORTED, f"{target.name} cannot be switched to {to} by {mechanism or 'any way'}")


async def _plan_alias(platform: Platform, target: Ref, to: str, fleet: Fleet) -> Plan:
    _, settings = await platform.first(platform.read_settings)
    if why := platform.powers().alias():
        raise BackendError(ErrorKind.UNSUPPORTED, why)
    if to not in fleet.groups:
        raise BackendError(ErrorKind.UNSUPPORTED, f"{to} is no route with deployments: requests would find nobody")
    route, goal = _shown(target.name), _shown(to)
    raw = settings.aliases.get(target.name)
    to_itself = to == target.name
    words = f"{route} answers itself again" if to_itself else f"everything asked of {route} goes to {goal}"

    def shows(value: Any) -> str:
        return f"{route} is answered by {_shown(str(value))}" if value else f"{route} answers itself"

    return await _build(
        platform,
        target,
        Verb.SWITCH,
        field="alias",
        after=None if to_itself else to,
        step=_alias_step(target.name, None if to_itself else to),
        back=lambda before: _alias_step(target.name, raw),
        shows=shows,
        words=words,
        notes=("the other aliases stay as they are",),
    )


async def _plan_order(platform: Platform, target: Ref, model: Model, fleet: Fleet) -> Plan:
    if why := platform.powers().order(model):
        raise BackendError(ErrorKind.UNSUPPORTED, why)
    siblings = [fleet.models[name] for name in fleet.groups[target.name] if name != model.id]
    others = [sibling.order for sibling in siblings if sibling.order is not None]
    if not others:
        raise BackendError(ErrorKind.UNSUPPORTED, "no other deployment of this route has an order")
    plan_of = Ref(target.source, Kind.DEPLOYMENT, model.id)
    first = min(*others, model.order) if model.order is not None else min(others)
    order = first - 1 if others.count(first) or model.order != first else first
    return await _patch(platform, target, Verb.SWITCH, model, "order", order, (), subject=plan_of)


async def _patch(
    platform: Platform,
    target: Ref,
    verb: Verb,
    model: Model,
    field: str,
    value: float,
    notes: tuple[str, ...],
    subject: Ref | None = None,
) -> Plan:
    name = _shown(model.id)

    def step(new: Any) -> Step:
        exact = int(new) if float(new).is_integer() else new  # 1 is put back as 1 and not as 1.0
        words = f"PATCH /model/{name}/update {field} {new:g}"
        return Step(op="model.patch", args={"id": model.id, "field": field, "value": exact}, words=words)

    def shows(new: Any) -> str:
        return f"{name} has the {field} {new:g}" if new is not None else f"{name} has no {field}"

    return await _build(
        platform,
        target,
        verb,
        subject=subject,
        field=field,
        after=value,
        step=step(value),
        back=lambda before: step(0 if before is None else before),
        shows=shows,
        words=f"set the {field} of {name} to {value:g}",
        notes=notes,
    )


async def _build(
    platform: Platform,
    target: Ref,
    verb: Verb,
    *,
    field: str,
    after: Any,
    step: Step,
    back: Any,
    shows: Any,
    words: str,
    notes: tuple[str, ...] = (),
    subject: Ref | None = None,
    expiry_home: ExpiryHome = ExpiryHome.ENGINE,
    converge_s: float = CONVERGE_S,
) -> Plan:
    """A plan that replaces one field of one object. `back(before)` is the step that puts the prior value back."""
    subject = subject or target
    value = await first_field(platform, field, subject.name)
    before = {field: value}
    undo_value = 0 if field == "weight" and value is None else value
    return Plan(
        target=target,
        verb=verb,
        steps=(step,),
        expects=(Expectation(ref=subject, field=field, value=after, words=shows(after)),),
        undo=() if back is None else (back(value),),
        undo_expects=()
        if back is None
        else (Expectation(ref=subject, field=field, value=undo_value, words=shows(undo_value)),),
        before=before,
        after={field: after},
        generation=fingerprint(before),
        expiry_home=expiry_home,
        replicas=tuple(replica.name for replica in platform.replicas),
        converge_s=converge_s,
        words=words,
        notes=notes,
    )


async def _trippable(platform: Platform, target: Ref) -> tuple[Model, str]:
    _, model = await _model(platform, target)
    if platform.cooldowns is not None:
        try:
            await platform.cooldowns.read([model.id])
            platform.redis_state = "ok"
        except BackendError as error:
            platform.redis_state = f"{error.kind}: {error.failure.message}"
    way, why = platform.powers().trip_way(model)
    if not way:
        raise BackendError(ErrorKind.UNSUPPORTED, why)
    return model, way


async def _model(platform: Platform, target: Ref) -> tuple[Fleet, Model]:
    await _up_to_date(platform)
    if target.kind is not Kind.DEPLOYMENT:
        raise BackendError(ErrorKind.UNSUPPORTED, f"{target} is no deployment")
    replica, model = await platform.first(lambda each: fresh_model(platform, each, target.name))
    return replica.fleet or platform.fleet, model


async def _up_to_date(platform: Platform) -> None:
    """Know what the key may do, and the siblings, also when nobody has looked yet."""
    if platform.standing is None:
        await platform.first(platform.find_out)
    if not platform.fleet.models:
        _, platform.fleet = await platform.first(lambda replica: fresh_fleet(platform, replica))


def _block_step(deployment: str, blocked: bool) -> Step:
    verb = "block" if blocked else "unblock"
    return Step(op=f"model.{verb}", args={"id": deployment}, words=f"POST /model/{verb} {_shown(deployment)}")


def _cooldown_step(deployment: str, ttl_s: float) -> Step:
    words = f"SET deployment:{_shown(deployment)}:cooldown for {ttl_s:.0f} s"
    return Step(op="cooldown.set", args={"id": deployment, "seconds": ttl_s}, words=words, repeatable=False)


def _release_step(deployment: str) -> Step:
    words = f"DEL deployment:{_shown(deployment)}:cooldown"
    return Step(op="cooldown.delete", args={"id": deployment}, words=words)


def _alias_step(route: str, to: Any) -> Step:
    goal = _shown(str(to.get("model", "")) if isinstance(to, dict) else str(to)) if to is not None else "none"
    return Step(
        op="alias.set",
        args={"route": route, "to": to},
        words=f"POST /config/update model_group_alias {_shown(route)} → {goal}",
    )


def _shown(name: str) -> str:
    return clean(name, 60)
