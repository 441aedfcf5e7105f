"""One recorded model call, sent once more to one deployment of a LiteLLM."""

import secrets
from typing import Any

import msgspec

from adapters.litellm.chat import read_answer
from adapters.litellm.fleet import Model
from adapters.litellm.platform import Platform
from adapters.litellm.state import fingerprint, fresh_model
from adapters.prices import list_price
from adapters.reissuing import TAG, Asked, Calls, Price, needs_deployment
from console.domain.actions import Plan, Step
from console.domain.errors import BackendError, ErrorKind
from console.domain.refs import Ref
from console.domain.reissues import RecordedCall
from console.domain.spans import Span
from console.domain.text import clean
from console.domain.verbs import Reissue

_NOT_SENT = frozenset(("model", "stream", "stream_options", "n", "user", "metadata", "store", "cache"))
_LENGTHS = ("max_completion_tokens", "max_tokens")
"""Two names for how long an answer may be; the recording's own is kept."""


async def plan_reissue(platform: Platform, calls: Calls, target: Ref, call: RecordedCall, action: Reissue) -> Plan:
    """Work out what one call would cost at the most, and cap it; see `ports.Reissues`.

    Raises:
        BackendError: UNSUPPORTED where its cost cannot be known or is more than allowed, or what the reads met.
    """
    needs_deployment(target)
    _, model = await platform.first(lambda replica: fresh_model(platform, replica, target.name))
    notes = (f"{clean(model.id, 80)} is blocked: LiteLLM will refuse the call",) if model.blocked else ()
    asked = Asked(model.id, model.called, model.provider, _price(model), notes)
    return calls.plan(target, asked, call, action, _generation(model))


async def execute(platform: Platform, calls: Calls, step: Step) -> None:
    """Send it, once; see `ports.Actuator.execute`."""
    body = _body(calls.take(step), step)
    began, monotonic = platform.clock.now(), platform.clock.monotonic()
    replica, raw = await platform.first(
        lambda each: each.caller.write("POST", "/v1/chat/completions", body), next_on=(ErrorKind.UNREACHABLE,)
    )
    took_s = platform.clock.monotonic() - monotonic
    span = _read(raw, f"POST {replica.url}/v1/chat/completions")
    calls.keep(
        step,
        msgspec.structs.replace(
            span, span_id=secrets.token_hex(8), started_at=began, duration_s=took_s, service=platform.source
        ),
    )


async def generation(platform: Platform, plan: Plan) -> str:
    """Another model behind the same name would be another call; see `ports.Actuator.generation`."""
    _, model = await platform.first(lambda replica: fresh_model(platform, replica, plan.target.name))
    return _generation(model)


def _generation(model: Model) -> str:
    return fingerprint({"model": model.called})


def _price(model: Model) -> Price:
    """The operator's own price, or the list's.

    Raises:
        BackendError: UNSUPPORTED when neither says one.
    """
    if model.own_price is not None:
        return Price(*model.own_price)
    price_in, price_out = list_price(model.called, "", 1.0, 0.0), list_price(model.called, "", 0.0, 1.0)
    if price_in is None or price_out is None:
        raise BackendError(
            ErrorKind.UNSUPPORTED,
            f"no price is known for {clean(model.called, 80)}, so that its cost could not be capped",
            way_out="set input_cost_per_token and output_cost_per_token of the deployment in LiteLLM",
        )
    return Price(price_in, price_out)


def _body(call: RecordedCall, step: Step) -> dict[str, Any]:
    """What is sent: to this deployment and no other, without a retry, a fallback or an answer out of a cache."""
    kept = {name: value for name, value in call.body.items() if name not in _NOT_SENT}
    length = next((name for name in _LENGTHS if name in kept), "max_tokens")
    most = step.args["most"]
    for asked in [kept.pop(name, None) for name in _LENGTHS]:
        most = min(most, asked) if isinstance(asked, int) and not isinstance(asked, bool) and asked > 0 else most
    return {
        **kept,
        "model": step.args["id"],
        length: most,
        "num_retries": 0,
        "disable_fallbacks": True,
        "cache": {"no-cache": True, "no-store": True},
        "user": TAG,
        "metadata": {"tags": [TAG, f"trace:{call.trace_id}"]},
    }


def _read(raw: bytes, where: str) -> Span:
    try:
        return read_answer(raw, where)
    except BackendError as error:  # it was sent, and may have been paid for
        words = f"it was answered, but with no chat completion: {error.failure.message}"
        raise BackendError(ErrorKind.UNKNOWN_OUTCOME, words, where=where) from error
