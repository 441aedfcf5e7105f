"""Why something of a request is not recorded, in words."""

from collections.abc import Sequence
from typing import Final

from console.domain.reconstruction import Piece, StageKind
from console.domain.spans import LaneKind, Trace
from console.traces.case import NO_CONTENT, counted

PREFIX: Final = "not recorded: "
"""How every `missing` of a stage and a lane begins."""

_NO_SPAN: Final = {
    StageKind.CONTEXT: "no span has a prompt's template, variables or instructions",
    StageKind.RETRIEVAL: "no span of a retrieval",
    StageKind.MODEL_INPUT: "no span of a model call",
    StageKind.MODEL_RESPONSE: "no span of a model call",
    StageKind.TOOLS: "no span of a tool",
}
_ONE: Final = {
    StageKind.CONTEXT: "prompt",
    StageKind.RETRIEVAL: "retrieval",
    StageKind.MODEL_INPUT: "model call",
    StageKind.MODEL_RESPONSE: "model call",
    StageKind.TOOLS: "tool call",
}
_NO_LANE: Final = {
    LaneKind.PROMPTS: "no span names a prompt or its version",
    LaneKind.RETRIEVAL: "no span names a retrieval source or a snapshot",
    LaneKind.TOKENS: "no model call says its tokens",
    LaneKind.PATH: "no span of a chain, a workflow or an agent",
    LaneKind.WORKERS: "no span names a worker",
    LaneKind.QUEUES: "no span names a queue or says how long it waited",
    LaneKind.DEPENDENCIES: "no span of a model, a tool, a database or a call to another host",
    LaneKind.MEMORY: "no span of a memory operation",
}
_STAGE_WORDS: Final = {
    StageKind.INCOMING: ("incoming", "input"),
    StageKind.CONTEXT: ("context", "template", "system instructions"),
    StageKind.RETRIEVAL: ("retriev", "document"),
    StageKind.MODEL_INPUT: ("model input", "input", "messages"),
    StageKind.MODEL_RESPONSE: ("model response", "output", "messages"),
    StageKind.TOOLS: ("tool",),
    StageKind.RESULT: ("final result", "output"),
}
_LANE_WORDS: Final = {
    LaneKind.PROMPTS: ("prompt version", "prompts"),
    LaneKind.RETRIEVAL: ("retrieval source", "snapshot"),
    LaneKind.TOKENS: ("token",),
    LaneKind.PATH: ("orchestration", "chain"),
    LaneKind.WORKERS: ("worker",),
    LaneKind.QUEUES: ("queue",),
    LaneKind.DEPENDENCIES: ("dependenc", "provider"),
    LaneKind.MEMORY: ("memory",),
}
"""Words by which a backend's note is about a lane, and above about a stage: kinds of both may be called the same."""
_LOSES: Final = ("not record", "not keep", "not kept", "drop", "does not", "no ", "without")
"""Words by which a note says that something is not there."""


def stage_missing(trace: Trace, kind: StageKind, pieces: Sequence[Piece], why: str = "") -> str:
    """Why none of a stage's spans has content; `why`: what is known of it, where that is more than their number."""
    if of_backend := _of_backend(trace, _STAGE_WORDS[kind]):
        return PREFIX + of_backend
    if why:
        return PREFIX + why + _cut(trace)
    if not pieces:
        return PREFIX + _NO_SPAN.get(kind, "no span of it") + _cut(trace)
    count = counted(len(pieces), _ONE.get(kind, "span"))
    if kind is StageKind.CONTEXT:
        return f"{PREFIX}{count} named, without the text"
    reasons = tuple(dict.fromkeys(one.missing for one in pieces if one.missing))
    if reasons == (NO_CONTENT,):
        return f"{PREFIX}{count}, without content: content capture is off"
    return f"{PREFIX}{count}: {', '.join(reasons)}"


def lane_missing(trace: Trace, kind: LaneKind) -> str:
    """Why a lane is empty."""
    return PREFIX + (_of_backend(trace, _LANE_WORDS[kind]) or _NO_LANE[kind] + _cut(trace))


def _of_backend(trace: Trace, words: Sequence[str]) -> str:
    """What the backend itself says that it does not record, in a note with one of these words."""
    for note in trace.notes:
        low = note.lower()
        if any(word in low for word in words) and any(word in low for word in _LOSES):
            return note
    return ""


def _cut(trace: Trace) -> str:
    return f"; {counted(trace.cut, 'span')} more were left out" if trace.cut else ""
