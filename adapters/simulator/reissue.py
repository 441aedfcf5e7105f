"""One recorded model call, sent once more to one simulated deployment: it answers as that deployment does now."""

import hashlib
import random
import secrets

import msgspec

from adapters.reissuing import Asked, Calls, Price, needs_deployment
from adapters.simulator.parts import FAILURE_NAMES, Deployment
from adapters.simulator.world import World
from console.domain.actions import Plan, Step
from console.domain.errors import BackendError, ErrorKind
from console.domain.refs import Ref
from console.domain.reissues import RecordedCall
from console.domain.spans import Content, Facts, Message, Span, SpanKind
from console.domain.text import clean
from console.domain.verbs import Reissue


def plan_reissue(world: World, calls: Calls, target: Ref, call: RecordedCall, action: Reissue) -> Plan:
    """Work out what one call would cost at the most; see `ports.Reissues`."""
    needs_deployment(target)
    item = _deployment(world, target.name)
    spec = item.spec
    asked = Asked(spec.name, spec.model, spec.provider, Price(spec.usd_in_per_m / 1e6, spec.usd_out_per_m / 1e6))
    return calls.plan(target, asked, call, action, generation(world, target))


def generation(world: World, target: Ref) -> str:
    """See `Actuator.generation`."""
    return _deployment(world, target.name).spec.model


def execute(world: World, calls: Calls, step: Step, source: str, chance: random.Random) -> None:
    """Draw whether it is answered, and in what time; the answer says of itself that it is simulated.

    Raises:
        BackendError: FAILED, in the way in which the deployment fails its callers now.
    """
    call = calls.take(step)
    item = _deployment(world, step.args["id"])
    if chance.random() < item.fail:
        classes = sorted(item.classes, key=lambda one: -item.classes[one])
        raise BackendError(ErrorKind.FAILED, f"the provider failed the call: {FAILURE_NAMES[classes[0]]}")
    spec = item.spec
    tokens_in = call.tokens_in or round(spec.tokens_in)
    tokens_out = max(1, min(step.args["most"], call.tokens_out or round(spec.tokens_out)))
    text = f"(simulated) {spec.model} answers {_digest(call)} in its own words."
    calls.keep(
        step,
        Span(
            span_id=secrets.token_hex(8),
            name=f"chat {spec.model}",
            kind=SpanKind.MODEL,
            service=source,
            started_at=world.now,
            duration_s=item.latency_s,
            facts=Facts(
                response_model=spec.model,
                finish_reason="stop",
                tokens_in=tokens_in,
                tokens_out=tokens_out,
                ttft_s=item.ttft_s,
            ),
            content=Content(messages_out=(Message(role="assistant", text=text),)),
        ),
    )


def _deployment(world: World, name: str) -> Deployment:
    item = world.deployments.get(name)
    if item is None:
        raise BackendError(ErrorKind.UNSUPPORTED, f"there is no deployment {clean(name, 80)}")
    return item


def _digest(call: RecordedCall) -> str:
    """The same call is always answered in the same words."""
    return "request " + hashlib.sha256(msgspec.json.encode(call.body, order="sorted")).hexdigest()[:6]
