"""The rows of `switchgear check`: what was tried, and what came of it. Nothing is changed."""

from collections.abc import Awaitable

from adapters.nats.api import Account, Consumers, Done, Refused, Streams
from adapters.nats.pausing import NEEDED_LEVEL
from adapters.nats.servers import Node, Servers
from console.domain.errors import BackendError, ErrorKind
from console.domain.wire import CheckRow

_NOBODY = "SWITCHGEAR_CHECK_NOBODY"
"""A stream that is not there: a question about it is answered without effect when it may be asked at all."""


async def check_rows(servers: Servers) -> tuple[CheckRow, ...]:
    """Every row; never raises BackendError."""
    rows = [await _row(servers, "reachable", _reach(node), node.name) for node in servers.nodes]
    rows.append(await _row(servers, "list", _list(servers)))
    rows.append(await _row(servers, "read messages", _may(servers, f"STREAM.MSG.GET.{_NOBODY}", {"seq": 1})))
    rows.append(await _row(servers, "pause", _pause(servers)))
    rows.append(await _row(servers, "park", _park(servers)))
    return tuple(rows)


async def _row(servers: Servers, what: str, trial: Awaitable[tuple[bool, str]], replica: str = "") -> CheckRow:
    try:
        ok, words = await trial
    except BackendError as error:
        ok, words = False, str(error.failure)
    return CheckRow(source=servers.source, replica=replica, what=what, ok=ok, words=words)


async def _reach(node: Node) -> tuple[bool, str]:
    account = await node.api("INFO", Account)
    return (
        True,
        f"NATS {node.wire.version}, JetStream with {account.streams:,} streams, {account.consumers:,} consumers",
    )


async def _list(servers: Servers) -> tuple[bool, str]:
    page = await servers.api("STREAM.LIST", Streams, {"offset": 0})
    if page.streams:
        await servers.api(f"CONSUMER.LIST.{page.streams[0].config.name}", Consumers, {"offset": 0})
    return True, f"{page.total:,} streams and their consumers"


async def _pause(servers: Servers) -> tuple[bool, str]:
    if (await servers.api("INFO", Account)).api.level < NEEDED_LEVEL:
        return False, "this server cannot pause a consumer; NATS 2.11 and later can"
    return await _may(servers, f"CONSUMER.PAUSE.{_NOBODY}.nobody", {})


async def _park(servers: Servers) -> tuple[bool, str]:
    """What a park asks for. A stream of a name that no API takes is refused, and by whom tells whether we may ask."""
    await _may(servers, f"STREAM.MSG.DELETE.{_NOBODY}", {"seq": 1})
    await _may(servers, f"STREAM.CREATE.{_NOBODY}", {"name": "another"})
    return True, f"streams {servers.options.prefix.upper()}_PARKED_… may be made; publishing to them is not tried"


async def _may(servers: Servers, call: str, body: dict[str, object]) -> tuple[bool, str]:
    """Ask for something about a stream that is not there: every refusal but one for want of a right is good news."""
    try:
        await servers.change(call, Done, body)
    except Refused as error:
        if error.kind is ErrorKind.FORBIDDEN:
            raise
    except BackendError as error:
        if error.kind is ErrorKind.UNKNOWN_OUTCOME:
            words = "no answer: the user may not ask this, or not hear the answer"
            raise BackendError(ErrorKind.FORBIDDEN, words, where=call) from None
        raise
    return True, "may be asked"
