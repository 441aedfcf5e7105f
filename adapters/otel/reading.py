"""A span as it comes from any store, with what its attributes mean."""

import msgspec

from adapters.otel.aliases import Aliases
from console.domain.spans import Span


def read(span: Span, aliases: Aliases) -> Span:
    """The span with its facts and its content, both derived anew from what was sent: aliases may have changed."""
    facts = aliases.facts(span.attributes, span.started_at, span.kind)
    return msgspec.structs.replace(span, facts=facts)
