"""OpenTelemetry's spans, however a store or an SDK writes them, as the domain's spans.

Protobuf and JSON, camelCase and snake_case, ids as hex or base64, nanoseconds as text or number, enums by name or
number; which attribute means what is a table that the config may put names in front of (`names`, `aliases`).
"""

from adapters.otel.aliases import Aliases
from adapters.otel.arrival import Arrival, MalformedOtlp, Normalised, Parts, Screen, TooLarge
from adapters.otel.content import content_of
from adapters.otel.json_form import from_json
from adapters.otel.protobuf_form import from_protobuf
from adapters.otel.reading import read
from adapters.otel.values import Limits

__all__ = [
    "Aliases",
    "Arrival",
    "Limits",
    "MalformedOtlp",
    "Normalised",
    "Parts",
    "Screen",
    "TooLarge",
    "content_of",
    "from_json",
    "from_protobuf",
    "read",
]
