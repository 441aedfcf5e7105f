"""A span as it comes from any store, with what its attributes mean and what was recorded of its words."""

import msgspec

from adapters.otel.aliases import Aliases
from adapters.otel.content import content_of
from console.domain.spans import Span


def read(span: Span, aliases: Aliases) -> Span:
    """The span with its facts and its content, both derived anew from what was sent: aliases may have changed."""
    return msgspec.structs.replace(
        span,
        facts=aliases.facts(span.attributes, span.started_at, span.kind),
        content=content_of(span.attributes, span.events, span.kind),
    )
