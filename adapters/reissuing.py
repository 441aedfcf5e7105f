"""What every gateway shares that sends a recorded model call once more: memory between plan and call, and the cap.

What was recorded is the applications' own. It stays in this process's memory, between the plan and the call: the plan
names it by its fingerprint alone, so that no prompt gets into the audit log.
"""

import hashlib
from collections import OrderedDict
from typing import Any, NamedTuple

import msgspec

from console.domain.actions import Effect, ExpiryHome, Plan, Proof, Step
from console.domain.errors import BackendError, ErrorKind
from console.domain.refs import Kind, Ref
from console.domain.reissues import RecordedCall
from console.domain.spans import Span
from console.domain.text import clean
from console.domain.verbs import Reissue, Verb

OP = "chat.reissue"
"""The step's name."""
TAG = "switchgear-replay"
"""Every call that is sent again carries it, so that it is told apart in the gateway's books."""
KEPT = 16
"""Calls and answers that are kept; the oldest go."""
SHORTEST = 16
"""An answer of fewer tokens shows nothing."""
_OTHER_TOKENIZER = 1.3
"""Another provider may count more tokens in the same words than the one that was recorded."""
_BYTES_A_TOKEN = 2.0
"""Where nobody counted: fewer bytes than this a token are rare in any language."""


class Price(NamedTuple):
    """US dollars a token."""

    input: float
    output: float

    def of(self, span: Span) -> float:
        """What a call has cost."""
        return (span.facts.tokens_in or 0) * self.input + (span.facts.tokens_out or 0) * self.output


class Asked(NamedTuple):
    """Whom a call is sent to."""

    deployment: str
    model: str
    """As it is called there."""
    provider: str
    price: Price
    notes: tuple[str, ...] = ()


class Calls:
    """What is between a plan and its call, and what came back. All of it in memory, and only the last few."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, RecordedCall] = OrderedDict()
        self._answers: OrderedDict[tuple[str, str, str], Span] = OrderedDict()

    def plan(self, target: Ref, asked: Asked, call: RecordedCall, action: Reissue, generation: str) -> Plan:
        """One call, once, for so many tokens and so much money at the most.

        Raises:
            BackendError: UNSUPPORTED when no useful answer can be had for what it may cost.
        """
        tokens_in = _tokens_in(call)
        most = _longest(asked, tokens_in, action)
        dearest = tokens_in * asked.price.input + most * asked.price.output
        name = clean(asked.deployment, 80)
        args = {
            "id": asked.deployment,
            "call": self._put(call),
            "trace": call.trace_id,
            "span": call.span_id,
            "most": most,
            "model": asked.model,
            "provider": asked.provider,
            "price": list(asked.price),
        }
        words = f"one model call to {name}, for at most {most} tokens and ${dearest:.4f}"
        return Plan(
            target=target,
            verb=Verb.REISSUE,
            steps=(Step(op=OP, args=args, words=words, repeatable=False),),
            expects=(),
            generation=generation,
            expiry_home=ExpiryHome.NOBODY,
            converge_s=1.0,
            words=f"send the recorded call to {name} ({clean(asked.model, 80)}) once more",
            notes=(
                f"tagged {TAG}; no retry, no fallback, no cache",
                "tools that the answer asks for are shown, never run",
                *(f"not recorded, and not sent: {clean(what, 80)}" for what in call.notes),
                *asked.notes,
            ),
            effects=_effects(call, tokens_in, most, dearest),
        )

    def take(self, step: Step) -> RecordedCall:
        """The call of a step, which is forgotten with it: it is sent once.

        Raises:
            BackendError: CONFLICT when it is not there (any more), as after a restart.
        """
        call = self._calls.pop(step.args["call"], None)
        if call is None:
            raise BackendError(
                ErrorKind.CONFLICT,
                "what was recorded is not in memory any more, and nothing was sent",
                way_out="ask for it again",
            )
        return call

    def keep(self, step: Step, answer: Span) -> None:
        """The answer of a step, with whom it came from and what it cost."""
        args = step.args
        facts = msgspec.structs.replace(
            answer.facts,
            provider=args["provider"],
            request_model=args["model"],
            deployment=args["id"],
            usd=Price(*args["price"]).of(answer),
        )
        self._answers[args["id"], args["trace"], args["span"]] = msgspec.structs.replace(answer, facts=facts)
        _bound(self._answers)

    def answer(self, target: Ref, action: Reissue) -> Span | None:
        """The newest answer to a call that was sent again; see `ports.Reissues`."""
        return self._answers.get((target.name, action.trace_id, action.span_id))

    def prove(self, plan: Plan, now: float) -> tuple[Proof, ...]:
        """The answer is its own proof; without one nobody can tell whether it was sent."""
        args = plan.steps[0].args
        span = self._answers.get((args["id"], args["trace"], args["span"]))
        if span is None:
            return (Proof(replica=clean(args["id"], 80), holds=None, seen="no answer is known here", read_at=now),)
        facts = span.facts
        cost = "" if facts.usd is None else f", ${facts.usd:.4f}"
        seen = f"{facts.tokens_in or 0}/{facts.tokens_out or 0} tokens in {span.duration_s or 0:.1f} s{cost}"
        return (Proof(replica=clean(args["id"], 80), holds=True, seen=seen, read_at=now),)

    def _put(self, call: RecordedCall) -> str:
        name = hashlib.sha256(msgspec.json.encode(call, order="sorted")).hexdigest()[:24]
        self._calls[name] = call
        _bound(self._calls)
        return name


def needs_deployment(target: Ref) -> None:
    """A route would choose by itself.

    Raises:
        BackendError: UNSUPPORTED, the target is no deployment.
    """
    if target.kind is not Kind.DEPLOYMENT:
        raise BackendError(ErrorKind.UNSUPPORTED, "a call is sent to a deployment, not to a route")


def _tokens_in(call: RecordedCall) -> int:
    """At the most, for any tokenizer."""
    if call.tokens_in is not None:
        return round(call.tokens_in * _OTHER_TOKENIZER) + 1
    return int(len(msgspec.json.encode(call.body)) / _BYTES_A_TOKEN) + 1


def _longest(asked: Asked, tokens_in: int, action: Reissue) -> int:
    """Tokens that the answer may have for the cost to stay within what is allowed."""
    price = asked.price
    input_usd = tokens_in * price.input
    left = action.max_usd - input_usd
    most = action.max_tokens if price.output <= 0 else min(action.max_tokens, int(left / price.output))
    if left < 0 or most < min(SHORTEST, action.max_tokens):
        raise BackendError(
            ErrorKind.UNSUPPORTED,
            f"what is sent to {clean(asked.deployment, 80)} may cost ${input_usd:.4f} already, and ${action.max_usd:g} "
            "is all that the call may cost",
            way_out="allow more, or choose a cheaper deployment",
        )
    return most


def _effects(call: RecordedCall, tokens_in: int, most: int, dearest: float) -> tuple[Effect, ...]:
    return (
        Effect(
            label="tokens in, at most", before=call.tokens_in, after=tokens_in, unit="tokens", words="recorded → sent"
        ),
        Effect(
            label="tokens out, at most", before=call.tokens_out, after=most, unit="tokens", words="recorded → allowed"
        ),
        Effect(label="cost, at most", before=None, after=round(dearest, 6), unit="$", words="of this one call"),
    )


def _bound(kept: OrderedDict[Any, Any]) -> None:
    while len(kept) > KEPT:
        kept.popitem(last=False)
