"""What retrieval found, in whichever form."""

import math
from collections.abc import Mapping
from typing import Any

from adapters.otel.flat import lists_in
from adapters.otel.wording import named, structure, text_of
from console.domain.spans import Document

MOST_DOCUMENTS = 500
MOST_WORDS = 2**20
"""Characters of all documents of a span together; those beyond keep their id and score."""
_MOST_NAME = 300
_SNAPSHOT = ("retrieval.snapshot.version", "snapshot_version", "snapshot")
"""Keys of a document's metadata that say which version of the index it came from."""


def documents_of(value: Any) -> tuple[Document, ...]:
    """The documents that a value holds: a list of them, an object with such a list, or JSON of either."""
    found = structure(value)
    if isinstance(found, dict):
        found = named(found, "documents", "results", "matches", "hits", "nodes", "data")
    if not isinstance(found, list):
        return ()
    documents: list[Document] = []
    room = MOST_WORDS
    for item in found[:MOST_DOCUMENTS]:
        document = _read(item, room > 0)
        if document is not None:
            room -= len(document.text)
            documents.append(document)
    return tuple(documents)


def snapshot_of(attributes: Mapping[str, Any]) -> str:
    """The version of the index that all documents of a span name; empty where they name none, or several."""
    documents = documents_of(attributes.get("gen_ai.retrieval.documents"))
    if not documents:
        documents = documents_of(lists_in(attributes).get("retrieval.documents"))
    versions = {document.snapshot for document in documents}
    return versions.pop() if len(versions) == 1 else ""


def _read(item: Any, words: bool) -> Document | None:
    if isinstance(item, str):
        return Document(text=text_of(item) if words else "") if item else None
    inner = named(item, "document", "node")
    held = inner if isinstance(inner, dict) else item
    if not isinstance(held, dict):
        return None
    metadata = structure(held.get("metadata"))
    text = named(held, "content", "page_content", "text", "document", "chunk")
    score = named(held, "score", "relevance_score", "similarity")
    document = Document(
        id=text_of(named(held, "id", "document_id", "doc_id", "_id", "url", "uri"), _MOST_NAME),
        score=_score(named(item, "score") if score is None else score),
        text=text_of(text) if words else "",
        snapshot=text_of(named(held, *_SNAPSHOT) or _version(metadata), _MOST_NAME),
    )
    return document if document != _NOTHING else None


def _version(metadata: Any) -> Any:
    """Some stores take apart a name with dots."""
    apart = named(named(named(metadata, "retrieval"), "snapshot"), "version")
    return apart if apart is not None else named(metadata, *_SNAPSHOT)


def _score(value: Any) -> float | None:
    """A finite number, also written as text; scores may be negative."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


_NOTHING = Document()
