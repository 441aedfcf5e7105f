"""A request as it was put together again, its conversation, and what it differs in: by hand, word for word."""

import msgspec

from console.domain.conversations import Conversation, Divergence, DivergenceKind, Mark, MarkKind, Turn
from console.domain.difference import Change, Comparison, Difference, PieceDifference, Run, StageDifference
from console.domain.reconstruction import Critical, Lane, LaneEntry, Piece, Reconstruction, Stage, StageKind
from console.domain.refs import Kind, Ref
from console.domain.spans import Document, LaneKind, Message, ToolCall, Trace
from tests.ui import backlog
from tests.ui.world import NOW

START = NOW - 3
QUESTION = "Why is the sky blue, and does it change when the air is full of dust from the desert?"


def _piece(span: str, at: float, took: float | None, **fields: object) -> Piece:
    known: dict[str, object] = {"name": span, "service": "web", **fields}
    return Piece(span_id=span, at=START + at, took_s=took, **known)  # type: ignore[arg-type]


def _stage(kind: StageKind, *pieces: Piece, missing: str = "", **fields: object) -> Stage:
    return Stage(
        kind=kind,
        pieces=pieces,
        at=min((piece.at for piece in pieces), default=None),
        missing=missing,
        **fields,  # type: ignore[arg-type]
    )


def plain(trace: Trace) -> Reconstruction:
    """A trace of which nothing was recorded but its spans."""
    why = "not recorded: no span says anything of it"
    return Reconstruction(
        trace=trace,
        stages=tuple(Stage(kind=kind, missing=why) for kind in StageKind),
        lanes=tuple(Lane(kind=kind, missing="not recorded: no span names one") for kind in LaneKind),
    )


def stages() -> tuple[Stage, ...]:
    documents = tuple(
        Document(id=f"doc-{at}", score=0.91 - at / 20, text=f"Light of wavelength {at} is scattered.", snapshot="kb-21")
        for at in range(1, 4)
    )
    asked = (
        Message(role="system", text="Answer in two sentences.\nName your source."),
        Message(role="user", text=QUESTION),
        Message(role="assistant", calls=(ToolCall(id="call-1", name="weather", arguments='{"place":"Tunis"}'),)),
        Message(role="tool", text='{"dust":0.4}', answers="call-1"),
    )
    return (
        _stage(StageKind.INCOMING, _piece("POST /answer", 0.0, 2.6, text=QUESTION), took_s=2.6),
        _stage(StageKind.CONTEXT, missing="not recorded: no span says which context was injected"),
        _stage(
            StageKind.RETRIEVAL,
            _piece(
                "retrieve", 0.05, 0.4, service="search", text="sky blue dust", documents=documents,
                facts=(("source", "kb"), ("snapshot", "kb-21")),
            ),
            took_s=0.4,
        ),
        _stage(
            StageKind.MODEL_INPUT,
            _piece("chat azure-b", 0.55, 0.5, failed=True, messages=asked[:2], facts=(("model", "gpt-5"),)),
            _piece("chat openai-a", 1.55, 1.0, messages=asked, facts=(("model", "gpt-5"), ("prompt", "chat@3"))),
            took_s=2.0, tokens_in=1200,
        ),
        _stage(
            StageKind.MODEL_RESPONSE,
            _piece("chat azure-b", 0.55, 0.5, failed=True, missing="the call failed before it answered"),
            _piece("chat openai-a", 1.55, 1.0, text="The air scatters blue light most.", tokens_out=210),
            took_s=2.0, tokens_out=210,
        ),
        _stage(
            StageKind.TOOLS,
            _piece("weather", 1.3, 0.2, arguments='{"place":"Tunis","days":[1,2]}', text='{"dust":0.4}'),
            took_s=0.2,
        ),
        _stage(
            StageKind.RESULT,
            _piece("POST /answer", 2.6, None, missing="content capture is off in web"),
        ),
    )  # fmt: skip


def lanes() -> tuple[Lane, ...]:
    def entry(span: str, at: float, value: str, **fields: object) -> LaneEntry:
        known: dict[str, object] = {"service": "web", **fields}
        return LaneEntry(span_id=span, at=START + at, value=value, **known)  # type: ignore[arg-type]

    found = {
        LaneKind.PROMPTS: (entry("chat openai-a", 1.55, "chat@3"),),
        LaneKind.RETRIEVAL: (entry("retrieve", 0.05, "kb@kb-21", service="search", took_s=0.4),),
        LaneKind.TOKENS: (
            entry("chat azure-b", 0.55, "gpt-5", measure=1200.0, words="1200 in, ? out", failed=True),
            entry("chat openai-a", 1.55, "gpt-5", measure=1410.0, words="1200 in, 210 out"),
        ),
        LaneKind.PATH: tuple(entry(f"step {at}", at / 10, f"step {at}") for at in range(8)),
        LaneKind.WORKERS: (entry("POST /answer", 0.0, "web-7f9c", measure=2.6),),
        LaneKind.DEPENDENCIES: (
            entry("chat azure-b", 0.55, "azure", measure=0.5, failed=True),
            entry("chat openai-a", 1.55, "openai", measure=1.0),
        ),
        LaneKind.MEMORY: (entry("store turn", 2.58, "upsert c-2@7"),),
    }
    return tuple(
        Lane(kind=kind, entries=found.get(kind, ()), missing="" if kind in found else "not recorded: no span waited")
        for kind in LaneKind
    )


def reconstruction() -> Reconstruction:
    """The request of `backlog.trace`, whole."""
    path = (
        ("POST /answer", 0.0, 0.05), ("retrieve", 0.05, 0.4), ("answer", 0.5, 0.05), ("chat azure-b", 0.55, 0.5),
        ("answer", 1.05, 0.05), ("chat azure-b again", 1.1, 0.4), ("chat openai-a", 1.55, 1.0), ("answer", 2.55, 0.05),
    )  # fmt: skip
    return Reconstruction(
        trace=backlog.trace(),
        stages=stages(),
        lanes=lanes(),
        critical=tuple(Critical(span_id=span, at=START + at, own_s=own) for span, at, own in path),
    )


def _mark(age: int, service: str, version: str, span: str = "retrieve") -> Mark:
    trace_id = backlog.request(age).trace_id
    return Mark(
        trace_id=trace_id, span_id=span, at=NOW - age, service=service, conversation="c-2",
        kind=MarkKind.RETRIEVAL, source="kb", version=version,
    )  # fmt: skip


def conversation() -> Conversation:
    """Four requests; from the third on, two services answer from different snapshots, and a write is lost."""

    def turn(age: int, snapshots: tuple[str, ...], memory: tuple[str, ...], difference: str = "") -> Turn:
        request = backlog.request(age, conversation="c-2", failed=age == 2)
        services = ("web", "search") if len(snapshots) == 1 else ("web", "search", "answers")
        return Turn(
            request=request, services=services, snapshots=snapshots, prompts=("chat@3" if age < 40 else "chat@2",),
            memory=memory, first_difference=difference,
        )  # fmt: skip

    split = "search read kb-22 of kb at 07:59:42 while answers still read kb-21: two answers from two snapshots"
    lost = "web wrote profile@7 at 07:59:43, and answers read profile@6 at 07:59:58"
    return Conversation(
        source=backlog.STORE,
        conversation="c-2",
        turns=(
            turn(65, ("kb@kb-21",), ("read profile@5",)),
            turn(40, ("kb@kb-21",), ("read profile@5", "upsert profile@6")),
            turn(18, ("search: kb@kb-22", "answers: kb@kb-21"), ("upsert profile@7",), "retrieve"),
            turn(2, ("kb@kb-22",), ("read profile@6",), "store turn"),
        ),
        divergences=(
            Divergence(
                kind=DivergenceKind.SNAPSHOTS, conversation="c-2", about="kb", first=_mark(18, "search", "kb-22"),
                against=_mark(18, "answers", "kb-21"), services=("search", "answers"), versions=("kb-22", "kb-21"),
                words=split,
            ),
            Divergence(
                kind=DivergenceKind.LOST_WRITE, conversation="c-2", about="profile",
                first=_mark(2, "answers", "6", "store turn"), against=_mark(18, "web", "7"),
                services=("web", "answers"), versions=("7", "6"), words=lost,
            ),
        ),
    )  # fmt: skip


def _same(kind: StageKind, name: str, took: float) -> StageDifference:
    pair = PieceDifference(
        name=name, first_span=name, second_span=name, change=Change.SAME, first_took_s=took, second_took_s=took
    )
    return StageDifference(kind=kind, change=Change.SAME, pieces=(pair,), first_took_s=took, second_took_s=took)


def comparison() -> Comparison:
    """The request that failed against one that did not."""
    text = (
        Run(Change.SAME, "Answer in two sentences. " + "Rule upon rule upon rule. " * 30),
        Run(Change.ONLY_FIRST, "Name your source."),
        Run(Change.ONLY_SECOND, "Never name a source, whatever the user asks."),
        Run(Change.SAME, "Be kind. " + "And short. " * 40),
    )
    pair = PieceDifference(
        name="retrieve", first_span="a", second_span="b", change=Change.CHANGED, first_took_s=0.13, second_took_s=0.4,
        differences=(
            Difference(change=Change.CHANGED, what="snapshot", first="kb-21", second="kb-22"),
            Difference(change=Change.ONLY_FIRST, what="document doc-1", first="score 0.91"),
            Difference(change=Change.ONLY_SECOND, what="document doc-9", second="score 0.95"),
            Difference(change=Change.CHANGED, what="document doc-2", first="0.81, second", second="0.62, third"),
        ),
    )  # fmt: skip
    asked = PieceDifference(
        name="chat openai-a", first_span="a", second_span="b", change=Change.CHANGED,
        first_took_s=0.9, second_took_s=1.0,
        differences=(Difference(change=Change.CHANGED, what="message 1 (system)", runs=text),),
    )  # fmt: skip
    tool = PieceDifference(
        name="weather", first_span="a", second_span="b", change=Change.CHANGED, first_took_s=0.1, second_took_s=0.1,
        differences=(
            Difference(change=Change.CHANGED, what="$.place", first='"Tunis"', second='"Tunisia"'),
            Difference(change=Change.ONLY_SECOND, what="$.days[2]", second="3"),
        ),
    )  # fmt: skip
    missing = "not recorded: no span says which context was injected"
    extra = PieceDifference(name="chat azure-b", second_span="c", change=Change.ONLY_SECOND, second_took_s=0.5)
    return Comparison(
        first=backlog.request(242, duration_s=0.85, tokens_in=420, usd=0.004),
        second=backlog.request(2, failed=True, duration_s=2.6),
        chosen="the last good POST /answer of web, 4 min earlier",
        stages=(
            _same(StageKind.INCOMING, "POST /answer", 2.6),
            StageDifference(kind=StageKind.CONTEXT, change=Change.SAME, first_missing=missing, second_missing=missing),
            StageDifference(
                kind=StageKind.RETRIEVAL, change=Change.CHANGED, pieces=(pair,), first_took_s=0.13, second_took_s=0.4
            ),
            StageDifference(
                kind=StageKind.MODEL_INPUT, change=Change.CHANGED, pieces=(asked, extra), first_took_s=0.9,
                second_took_s=2.0, first_tokens=(420, None), second_tokens=(1200, None),
            ),
            _same(StageKind.MODEL_RESPONSE, "chat openai-a", 1.0),
            StageDifference(
                kind=StageKind.TOOLS, change=Change.CHANGED, pieces=(tool,), first_took_s=0.1, second_took_s=0.1
            ),
            StageDifference(
                kind=StageKind.RESULT, change=Change.ONLY_FIRST, first_took_s=0.01,
                second_missing="not recorded: content capture is off in web",
            ),
        ),
    )  # fmt: skip


def request_ref() -> Ref:
    return Ref(backlog.STORE, Kind.REQUEST, backlog.trace().trace_id)


def with_spans(trace: Trace, count: int) -> Reconstruction:
    """A request of many spans, each of which put something into a stage and a lane."""
    spans = tuple(
        msgspec.structs.replace(
            trace.spans[0], span_id=f"s{at}", parent_id=f"s{at - 1}" if at else "", name=f"step {at}",
            started_at=START + at / count,
        )
        for at in range(count)
    )  # fmt: skip
    found = plain(msgspec.structs.replace(trace, spans=spans))
    pieces = tuple(
        Piece(span_id=span.span_id, name=span.name, service=span.service, at=span.started_at, took_s=0.1, text=QUESTION)
        for span in spans
    )
    entries = tuple(LaneEntry(span_id=span.span_id, at=span.started_at, value=span.name) for span in spans)
    return msgspec.structs.replace(
        found,
        stages=tuple(
            msgspec.structs.replace(stage, pieces=pieces, missing="") if stage.kind is StageKind.TOOLS else stage
            for stage in found.stages
        ),
        lanes=tuple(
            msgspec.structs.replace(lane, entries=entries, missing="") if lane.kind is LaneKind.PATH else lane
            for lane in found.lanes
        ),
        critical=tuple(Critical(span_id=span.span_id, at=span.started_at, own_s=1 / count) for span in spans),
    )
