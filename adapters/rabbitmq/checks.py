"""The rows of `switchgear check`: what was tried, and what came of it. Nothing is changed."""

from collections.abc import Awaitable

from adapters.http import Server
from adapters.rabbitmq.amqp import Amqp
from adapters.rabbitmq.api import PAGE_SIZE, Page, Parameter, WhoAmI
from adapters.rabbitmq.broker import Broker, Node
from adapters.rabbitmq.coarse import CoarsePages
from adapters.rabbitmq.names import escaped
from adapters.rabbitmq.standing import find_standing, read_shovels
from adapters.rabbitmq.survey import COUNT, MOST_LISTED
from console.domain.errors import BackendError
from console.domain.text import clean
from console.domain.wire import CheckRow


async def check_rows(broker: Broker, metrics: list[Server]) -> tuple[CheckRow, ...]:
    """Every row; never raises BackendError."""
    rows = [await _row(broker, "reachable", _reach(node), node.name) for node in broker.nodes]
    rows.append(await _row(broker, "user", _user(broker)))
    counts: list[int] = []
    rows += [await _row(broker, f"read {vhost}", _queues(broker, vhost, counts)) for vhost in broker.options.vhosts]
    rows.append(await _row(broker, "shovels", _shovels(broker)))
    rows += [await _row(broker, "metrics", _metrics(broker, one)) for one in metrics]
    if not metrics:
        many = sum(counts) > MOST_LISTED
        words = f"not configured: needed beyond {MOST_LISTED:,} queues" + (", which there are" if many else "")
        rows.append(CheckRow(source=broker.source, replica="", what="metrics", ok=False if many else None, words=words))
    if broker.options.amqp:
        rows += [await _row(broker, "amqp", _amqp(broker, vhost)) for vhost in broker.options.vhosts]
    else:
        words = "not configured: no isolate, no purge, and quorum queues are counted seconds late"
        rows.append(CheckRow(source=broker.source, replica="", what="amqp", ok=None, words=words))
    return tuple(rows)


async def _row(broker: Broker, what: str, trial: Awaitable[tuple[bool, str]], replica: str = "") -> CheckRow:
    try:
        ok, words = await trial
    except BackendError as error:
        ok, words = False, str(error.failure)
    return CheckRow(source=broker.source, replica=replica, what=what, ok=ok, words=words)


async def _reach(node: Node) -> tuple[bool, str]:
    await node.server.json("/api/whoami", WhoAmI)
    return True, node.server.url


async def _user(broker: Broker) -> tuple[bool, str]:
    standing = await find_standing(broker)
    lacks = standing.why_no_change or ("" if standing.sees_all else "it lacks the tag monitoring")
    return not lacks, standing.words() + (f"; {lacks}" if lacks else "")


async def _queues(broker: Broker, vhost: str, counts: list[int]) -> tuple[bool, str]:
    page = await broker.read(f"/api/queues/{escaped(vhost)}", Page, COUNT)
    counts.append(page.total_count)
    way = "a page" if page.total_count <= PAGE_SIZE else "a listing" if page.total_count <= MOST_LISTED else "metrics"
    return True, f"{page.total_count:,} queues, read by {way}"


async def _shovels(broker: Broker) -> tuple[bool, str]:
    found = await read_shovels(broker)
    if isinstance(found, str):
        return False, f"{found}; nothing can be moved"
    for vhost in broker.options.vhosts:
        await broker.read(f"/api/parameters/shovel/{escaped(vhost)}", list[Parameter])
    return True, "pause, resume, park, replay, finish and requeue are done by the broker's shovels"


async def _metrics(broker: Broker, server: Server) -> tuple[bool, str]:
    pages = CoarsePages(server, tuple(broker.options.vhosts), lambda _: False)
    return True, f"{len(await pages.read()):,} queues at {server.url}"


async def _amqp(broker: Broker, vhost: str) -> tuple[bool, str]:
    amqp = Amqp(broker, vhost)
    try:
        await amqp.channel()
    finally:
        await amqp.close()
    return True, f"{amqp.where}, {clean(vhost, 60)}"
