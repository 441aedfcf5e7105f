"""The one server of a trace store that is asked over HTTP with a bearer token, or with none."""

from collections.abc import Mapping

from adapters.http import Credential, Server
from adapters.http_wire import Transport
from adapters.spans.answers import MAX_ANSWER_BYTES
from console.domain.ports import AdapterContext


def server_of(
    context: AdapterContext,
    url: str,
    token: str | None,
    transport: Transport | None,
    headers: Mapping[str, str] | None = None,
) -> Server:
    """It, with answers as large as requests are; `token` is a reference."""
    return Server(
        url,
        timeout_s=context.timeout_s,
        credential=Credential(token, context.secret) if token else None,
        headers=headers,
        max_body=MAX_ANSWER_BYTES,
        transport=transport,
    )
