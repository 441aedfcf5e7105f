"""Requests out of a file, as a trace store."""

from pathlib import Path

import pytest

from adapters.bundle import SPEC, BundleOptions
from adapters.bundle.adapter import BundleAdapter
from console.domain.bundles import Bundle, Shown, encode
from console.domain.conversations import Mark, MarkKind, MarkQuery
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import AdapterContext
from console.domain.readings import Request
from console.domain.refs import Kind, Ref
from console.domain.spans import Facts, LaneFilter, LaneKind, RequestQuery, Span, SpanKind, Trace
from console.engine.clock import ManualClock


def _trace(number: int, *, rooted: bool = True) -> Trace:
    trace_id = f"{number:032x}"
    span = Span(
        span_id="cd" * 8,
        name="chat",
        kind=SpanKind.MODEL,
        service="web",
        started_at=1000.0 + number,
        duration_s=0.5,
        facts=Facts(prompt_name="chat", prompt_version=str(number), request_model="m", tokens_in=number),
    )
    request = Request(
        ref=Ref("theirs", Kind.REQUEST, trace_id), observed_at=1.0, started_at=span.started_at, name="chat",
        service="web", trace_id=trace_id, status="ok", conversation="c",
    )  # fmt: skip
    return Trace(trace_id=trace_id, request=request if rooted else None, spans=(span,))


def _opened(path: Path, *traces: Trace) -> BundleAdapter:
    marks = (Mark(trace_id="a", span_id="b", at=1001.0, kind=MarkKind.RETRIEVAL, version="v7"),)
    bundle = Bundle(
        exported_at=0.0, version="0.1", environment="prod", source="theirs", shown=Shown.STRUCTURE, traces=traces,
        marks=marks,
    )  # fmt: skip
    path.write_bytes(encode(bundle))
    return _adapter(path)


def _adapter(path: Path) -> BundleAdapter:
    context = AdapterContext("file", ManualClock(), lambda _: "", 1.0, BundleOptions(file=path))
    adapter = SPEC.create(context)
    assert isinstance(adapter, BundleAdapter)
    return adapter


async def test_its_requests_are_there_newest_first_and_under_its_own_name(tmp_path: Path) -> None:
    adapter = _opened(tmp_path / "b.gz", _trace(1), _trace(3), _trace(2))
    seen = await adapter.observe()
    assert [item.ref for item in seen.readings] == [Ref("file", Kind.REQUEST, f"{n:032x}") for n in (3, 2, 1)]
    assert any("nothing here is live" in note and "prod" in note for note in seen.notes)
    trace = await adapter.trace(f"{2:032x}")
    assert trace.request is not None
    assert trace.request.ref.source == "file"


async def test_it_is_asked_like_any_store(tmp_path: Path) -> None:
    adapter = _opened(tmp_path / "b.gz", _trace(1), _trace(3), _trace(2))

    async def asked(**query: object) -> list[int]:
        found = await adapter.requests(RequestQuery(source="file", **query))  # type: ignore[arg-type]
        return [int(one.trace_id, 16) for one in found]

    assert await asked(limit=2) == [3, 2]
    assert await asked(before=1003.0) == [2, 1]
    assert await asked(failed=True) == []
    assert await asked(conversation="c", good=True) == [3, 2, 1]
    assert await asked(lanes=(LaneFilter(lane=LaneKind.PROMPTS, value="chat@2"),)) == [2]
    assert await asked(lanes=(LaneFilter(lane=LaneKind.TOKENS, at_least=2),)) == [3, 2]
    assert len(await adapter.marks(MarkQuery(source="file", since=0.0))) == 1
    assert await adapter.marks(MarkQuery(source="file", since=2000.0)) == ()


async def test_a_request_whose_root_never_came_is_told_by_what_there_is(tmp_path: Path) -> None:
    adapter = _opened(tmp_path / "b.gz", _trace(1, rooted=False))
    (request,) = await adapter.requests(RequestQuery(source="file"))
    assert (request.name, request.service, request.status) == ("chat", "web", "")
    assert (await adapter.trace(request.trace_id)).request is None


async def test_a_request_that_is_not_in_it(tmp_path: Path) -> None:
    with pytest.raises(BackendError) as caught:
        await _opened(tmp_path / "b.gz", _trace(1)).trace("\x1b[31mother")
    assert caught.value.kind is ErrorKind.UNSUPPORTED
    assert str(caught.value.failure).isprintable()


@pytest.mark.parametrize(("data", "kind"), [(None, ErrorKind.UNREACHABLE), (b"<html>", ErrorKind.MALFORMED)])
async def test_a_file_that_is_gone_or_none(tmp_path: Path, data: bytes | None, kind: ErrorKind) -> None:
    path = tmp_path / "b.gz"
    if data is not None:
        path.write_bytes(data)
    adapter = _adapter(path)
    with pytest.raises(BackendError) as caught:
        await adapter.observe()
    assert caught.value.kind is kind
    (row,) = await adapter.check()
    assert row.ok is False
