"""What two retrievals found: by document, with its score and its place."""

from collections import Counter
from collections.abc import Sequence

from console.domain.difference import Change, Difference
from console.domain.spans import Document
from console.traces.texts import Effort, text_difference, value_difference

SHOWN = 20
"""Documents whose order is told."""

_Key = tuple[str, int]


def documents_difference(first: Sequence[Document], second: Sequence[Document], effort: Effort) -> list[Difference]:
    """Documents that only one found, other scores and texts of the same, and the order of those that both found."""
    if first == second:
        return []
    mine, others = _by_key(first), _by_key(second)
    found: list[Difference] = []
    for key in dict.fromkeys((*mine, *others)):
        found += _document(key, mine.get(key), others.get(key), effort)
    both = [_name(key) for key in mine if key in others], [_name(key) for key in others if key in mine]
    return found + value_difference("order", _order(both[0]), _order(both[1])) if both[0] != both[1] else found


def _by_key(documents: Sequence[Document]) -> dict[_Key, tuple[int, Document]]:
    """Each with its place, from 1; what comes twice is told apart by its count."""
    seen: Counter[str] = Counter()
    found: dict[_Key, tuple[int, Document]] = {}
    for place, document in enumerate(documents, 1):
        # a document without an id is known by its words
        known_by = document.id or document.text
        seen[known_by] += 1
        found[known_by, seen[known_by]] = (place, document)
    return found


def _document(
    key: _Key, first: tuple[int, Document] | None, second: tuple[int, Document] | None, effort: Effort
) -> list[Difference]:
    what = f"document {_name(key)}"
    if first is None or second is None:
        change = Change.ONLY_FIRST if second is None else Change.ONLY_SECOND
        return [Difference(change=change, what=what, first=_told(first), second=_told(second))]
    mine, others = first[1], second[1]
    return [
        *value_difference(what, _score(mine), _score(others)),
        *value_difference(f"{what} snapshot", mine.snapshot, others.snapshot),
        *text_difference(f"{what} text", mine.text, others.text, effort),
    ]


def _name(key: _Key) -> str:
    known_by, count = key
    short = known_by if len(known_by) <= 60 else known_by[:59] + "…"
    return short if count == 1 else f"{short} ({count})"


def _told(found: tuple[int, Document] | None) -> str:
    if found is None:
        return ""
    place, document = found
    return ", ".join(part for part in (f"place {place}", _score(document)) if part)


def _score(document: Document) -> str:
    return "" if document.score is None else f"score {document.score:.6g}"


def _order(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")
