"""A kept request as a reading: one line of it."""

from adapters.simulator.habits import LOOP_TOKENS, OVERFLOW_TOKENS
from adapters.simulator.parts import FAILURE_NAMES, TOO_LONG, Deployment
from adapters.simulator.platform import DeploymentSpec
from adapters.simulator.traces.sample import Sample
from console.domain.readings import Request
from console.domain.refs import Kind, Ref

ERRORS = {
    "400": "the input is longer than the model's context window",
    "403": "refused to this key",
    "429": "rate limited by the provider",
    "500": "the provider failed",
    "503": "turned away",
    "timeout": "no answer in time",
}
"""What a failure means, in words."""


def name_of(sample: Sample) -> str:
    """What was asked for."""
    return f"process {sample.queue}" if sample.queue else f"POST /v1/{sample.route.spec.name}"


def error_of(failure: str) -> str:
    """A failure's class and its words."""
    return f"{failure}: {ERRORS.get(failure, 'failed')}" if failure else ""


def rounds_of(sample: Sample) -> int:
    """How many model calls its answer took, retries apart."""
    return 1 if sample.failure or sample.manner is None else sample.manner.rounds


def tokens_of(sample: Sample, number: int = 0) -> tuple[int, int]:
    """Input and output tokens of one call of the answer, counted from 0; the same at every look."""
    answer = sample.deliveries[-1].call.answer
    if answer is None:
        return 0, 0
    spec, manner = answer.deployment.spec, sample.manner
    # The longer it took, the more it wrote: the same luck in both.
    luck = min(3.0, max(0.3, answer.duration_s / max(0.01, answer.deployment.latency_s)))
    spread = 0.6 + int(sample.trace_id[:4], 16) / 0xFFFF * 0.8
    if manner is not None:
        spread *= manner.tokens
        if manner.again:
            # What it goes round with grows from call to call.
            spread *= 1.0 + 2.0 * (LOOP_TOKENS - 1.0) * number / max(1, manner.rounds - 1)
    return round(spec.tokens_in * spread), round(spec.tokens_out * luck)


def refused_tokens(deployment: Deployment) -> int:
    """Input tokens of a call that was refused because it is longer than the window, and is billed all the same."""
    return round(deployment.spec.tokens_in * OVERFLOW_TOKENS)


def usd_of(spec: DeploymentSpec, tokens_in: int, tokens_out: int) -> float:
    """US dollars of one call."""
    return round((tokens_in * spec.usd_in_per_m + tokens_out * spec.usd_out_per_m) / 1e6, 6)


def _billed(sample: Sample) -> tuple[int, int, float | None]:
    """Tokens in and out and US dollars of a whole request; no dollars when nothing was billed."""
    call = sample.deliveries[-1].call
    if call.answer is not None:
        each = [tokens_of(sample, number) for number in range(rounds_of(sample))]
        usd = sum(usd_of(call.answer.deployment.spec, *tokens) for tokens in each)
        return sum(one for one, _ in each), sum(one for _, one in each), round(usd, 6)
    refused = [one.deployment for one in call.attempts if one.failure == FAILURE_NAMES[TOO_LONG]]
    tokens = [refused_tokens(one) for one in refused]
    usd = sum(usd_of(one.spec, many, 0) for one, many in zip(refused, tokens, strict=True))
    return sum(tokens), 0, round(usd, 6) if refused else None


def request_of(sample: Sample, source: str, spans: int) -> Request:
    """The reading; it never changes, for only what is over is kept."""
    call = sample.deliveries[-1].call
    last = call.attempts[-1] if call.attempts else None
    tokens_in, tokens_out, usd = _billed(sample)
    answered = call.answer
    embeds = answered is not None and answered.deployment.spec.tokens_out == 0
    return Request(
        ref=Ref(source, Kind.REQUEST, sample.trace_id),
        observed_at=sample.end_at,
        started_at=sample.began_at,
        name=name_of(sample),
        service=sample.service,
        route=sample.route.spec.name,
        deployment=last.deployment.spec.name if last else "",
        model=last.deployment.spec.model if last else "",
        status="error" if sample.failure else "ok",
        failed=bool(sample.failure),
        error=error_of(sample.failure),
        duration_s=round(sample.end_at - sample.began_at, 3),
        ttft_s=None if embeds else _first_token(sample),
        attempts=sum(len(delivery.call.attempts) for delivery in sample.deliveries) + rounds_of(sample) - 1,
        tokens_in=tokens_in or None,
        tokens_out=None if embeds or answered is None else tokens_out,
        usd=usd,
        conversation=sample.conversation,
        spans=spans,
        trace_id=sample.trace_id,
    )


def _first_token(sample: Sample) -> float | None:
    """Seconds from when it came in to the answer's first token, the wait in a queue included."""
    delivery = sample.deliveries[-1]
    answer = delivery.call.answer
    if answer is None or answer.ttft_s is None:
        return None
    begun_at = delivery.at + delivery.before_s + answer.begin_s
    return round(begun_at - sample.began_at + answer.ttft_s, 3)
