"""What one request answers: drawn from the rates of its group, the same each time for the same trace id."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple
from zlib import crc32

from adapters.simulator.answers.forms import NEW_TOOL, TOOL, Form, forms_of, new_form_of, weights_of
from adapters.simulator.answers.rates import AGAIN, ROUNDS_MOST, Rates
from adapters.simulator.habits import LOOP_CALLS
from adapters.simulator.platform import DeploymentSpec, RouteSpec
from console.domain.answers import Finish

_SCRAMBLE: Final = 0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835
_MASK: Final = (1 << 128) - 1


class Flaw(StrEnum):
    """What may be strange about a request, the strangest first: what an example shows."""

    LOOP = "loop"
    UNPARSED = "unparsed"
    REFUSED = "refused"
    EMPTY = "empty"
    STRANGE = "strange"
    NEW_SHAPE = "new_shape"
    OVERFLOW = "overflow"
    NO_DOCUMENTS = "no_documents"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a request was answered."""

    finish: Finish
    form: Form | None
    """Of a structured answer, or of the arguments of its first tool call; None for prose."""
    parsed: bool
    strange: bool
    """Whether it has letters of another script."""
    documents: bool
    """Whether its searches found anything."""
    score: float
    """Median of the best document's score in its group."""
    tokens: float
    """Factor on the tokens that its text usually takes."""
    fingerprint: str
    response_model: str
    rounds: int = 1
    """How often it called its model, retries apart."""
    again: bool = False
    """Whether it called one tool with the same arguments each time."""


def luck_of(trace_id: str) -> Iterator[float]:
    """Eight numbers from 0 to 1 that belong to a request and to nothing else."""
    mixed = int(trace_id, 16) * _SCRAMBLE & _MASK
    for place in range(8):
        yield (mixed >> (112 - 16 * place) & 0xFFFF) / 65536.0


class Way(NamedTuple):
    """In which way a group answers for now; many requests share one."""

    rates: Rates
    fingerprint: str
    response_model: str
    """The model that says that it answered."""
    tokens: float
    """Factor on the tokens that a text usually takes."""
    flaw: Flaw | None = None
    """What has to show in any case."""


def manner_of(trace_id: str, route: RouteSpec, tenant: str, way: Way, prompt: str, at: float) -> Manner:
    """How one request was answered; its trace id decides.

    Args:
        trace_id: of the request.
        route: whose forms its answers have.
        tenant: who asked.
        way: of its group, at its time.
        prompt: the version of its prompt.
        at: its time, unix seconds.
    """
    rates, flaw = way.rates, way.flaw
    luck = luck_of(trace_id)
    finish, rounds = _finish(rates, next(luck), next(luck), flaw)
    structured = next(luck) < rates.structured or flaw in (Flaw.UNPARSED, Flaw.NEW_SHAPE)
    form = None
    fresh = next(luck) < rates.new_shape or flaw is Flaw.NEW_SHAPE
    where = next(luck)
    if finish is Finish.STOP and structured:
        form = new_form_of(route.name) if fresh else _pick(where, route.name, prompt, tenant, at)
    elif finish is Finish.TOOL_CALLS:
        form = NEW_TOOL if fresh else TOOL
    return Manner(
        finish=finish,
        form=form,
        parsed=not (form is not None and (next(luck) < rates.unparsed or flaw is Flaw.UNPARSED)),
        strange=next(luck) < rates.strange or flaw is Flaw.STRANGE,
        documents=next(luck) >= rates.no_documents and flaw is not Flaw.NO_DOCUMENTS,
        score=rates.score,
        tokens=way.tokens,
        fingerprint=way.fingerprint,
        response_model=way.response_model,
        rounds=rounds,
        again=flaw is Flaw.LOOP,
    )


def _finish(rates: Rates, drawn: float, further: float, flaw: Flaw | None) -> tuple[Finish, int]:
    """Why it stopped, and after how many rounds."""
    if flaw is Flaw.REFUSED:
        return Finish.REFUSAL, 1
    if flaw is Flaw.EMPTY:
        return Finish.EMPTY, 1
    if flaw is Flaw.STRANGE or (flaw in (Flaw.UNPARSED, Flaw.NEW_SHAPE) and not rates.tools):
        return Finish.STOP, 1
    if flaw is Flaw.LOOP:
        return Finish.TOOL_CALLS, round(LOOP_CALLS * (0.8 + 0.8 * drawn))
    if flaw in (Flaw.UNPARSED, Flaw.NEW_SHAPE) and rates.tools:
        return Finish.TOOL_CALLS, 1
    for part, finish in (
        (rates.refused, Finish.REFUSAL), (rates.empty, Finish.EMPTY), (rates.cut, Finish.LENGTH)
    ):  # fmt: skip
        drawn -= part
        if drawn < 0.0:
            return finish, 1
    if not rates.tools:
        return Finish.STOP, 1
    rounds = 1
    while further < AGAIN and rounds < ROUNDS_MOST:
        further /= AGAIN
        rounds += 1
    return Finish.TOOL_CALLS if rounds == 1 else Finish.STOP, rounds


def _pick(drawn: float, route: str, prompt: str, tenant: str, at: float) -> Form:
    forms = forms_of(route)
    for form, weight in zip(forms, weights_of(route, prompt, tenant, at), strict=True):
        drawn -= weight
        if drawn < 0.0:
            return form
    return forms[-1]


def made_of(spec: DeploymentSpec, build: int) -> tuple[str, str]:
    """The build that answers at a deployment: (fingerprint, the model that says that it answered).

    A provider whose interface has no word for its build shows a new one as another model.
    """
    if spec.provider == "anthropic":
        return "", f"{spec.model}-2025{1 + build // 28 % 12:02}{1 + build % 28:02}"
    return f"fp_{(build * 0x9E3779B1 ^ crc32((spec.provider + spec.model).encode())) & 0xFFFFFFFF:08x}", spec.model
