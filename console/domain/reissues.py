"""One recorded model call, sent once more to a provider of the operator's choice: what is sent, and what came back."""

from typing import Any

import msgspec

from console.domain.difference import Comparison
from console.domain.spans import Span


class RecordedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A model call as it was recorded, in the words of a chat completion; all of it the application's own."""

    trace_id: str
    span_id: str
    model: str = ""
    """The model that was asked for."""
    body: dict[str, Any]
    """`messages`, and where recorded `tools`, `tool_choice`, `temperature` …: JSON as an OpenAI-compatible gateway
    takes it; without `model` and without `stream`."""
    tokens_in: int | None = None
    """As it was counted then; None where it was not."""
    tokens_out: int | None = None
    notes: tuple[str, ...] = ()
    """What of it was not recorded: `the tools' definitions`."""


class Reissued(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was sent again, and its answer."""

    action_id: str
    recorded: Span
    answered: Span
    """As a span of kind MODEL; the tools that it asks for were not run."""
    comparison: Comparison
    """The recorded call is the first, the new one the second."""


class ReissuedQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the answer of one action; the engine keeps the last few, and only in memory."""

    action_id: str
