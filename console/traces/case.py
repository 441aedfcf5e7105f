"""One request while it is put together: what every part of that looks at, and how a span becomes a piece."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.domain.reconstruction import Piece
from console.domain.spans import Content, Document, Message, Span, SpanKind, Trace
from console.traces.tree import Tree, tree_of
from console.traces.works import Work, works_of

NO_CONTENT = "content not recorded"
"""Why a span says nothing of its words."""

_WORDS = tuple(name for name in Content.__struct_fields__ if name not in ("tools", "parameters"))

Named = tuple[str, str]
"""Name and value of something worth saying."""


@dataclass(frozen=True, slots=True)
class Case:
    """A request's spans, in order."""

    trace: Trace
    tree: Tree
    works: dict[SpanKind, list[Work]]
    """Model calls, tool calls and retrievals, each once."""
    stands: dict[int, int]
    """For the place of each span that tells of a work again: the place of the span that stands for it."""

    @classmethod
    def of(cls, trace: Trace) -> "Case":
        """Look at a trace."""
        tree = tree_of(trace.spans, trace.request)
        works = works_of(tree)
        stands = {place: work.place for found in works.values() for work in found for place in work.again}
        return cls(trace, tree, works, stands)


def piece(
    case: Case,
    place: int,
    *,
    text: str = "",
    messages: Sequence[Message] = (),
    documents: Sequence[Document] = (),
    arguments: str = "",
    facts: Sequence[Named] = (),
    at: float | None = None,
    took_s: float | None = None,
    tokens_in: int | None = None,
    tokens_out: int | None = None,
    missing: str = "",
) -> Piece:
    """What a span contributed; facts without a value are left out.

    Args:
        at: seconds on the tree's clock; None for the span's start.
        missing: why there is no content; kept only where there is none, or beside content as what is not there of it.
    """
    span = case.tree.spans[place]
    return Piece(
        span_id=span.span_id,
        service=span.service,
        name=span.name,
        at=case.tree.at(place) if at is None else case.tree.base + at,
        took_s=took_s,
        failed=span.failed,
        text=text,
        messages=tuple(messages),
        documents=tuple(documents),
        arguments=arguments,
        facts=tuple([one for one in facts if one[1]]),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        missing=missing,
    )


def has_content(one: Piece) -> bool:
    """Whether anything of a piece's words was recorded."""
    return bool(one.text or one.messages or one.documents or one.arguments)


def has_words(content: Content | None) -> bool:
    """Whether more than settings and definitions was recorded of a span."""
    return content is not None and any(getattr(content, name) for name in _WORDS)


def prompt_of(span: Span) -> str:
    """`name@version`, as far as it is said."""
    facts = span.facts
    return f"{facts.prompt_name}@{facts.prompt_version}" if facts.prompt_version else facts.prompt_name


def counted(number: int, one: str) -> str:
    """`1 model call`, `3 model calls`."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"
