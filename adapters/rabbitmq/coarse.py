"""The coarse numbers of very many queues, out of one node's metrics page, at the price of what changed on it.

A page of 10,000 queues is 4 MB, and most of its lines are those of the page before. So the lines of the three metrics
that are needed are cut out and compared as sets; only new ones are read.
"""

import re
from collections.abc import Callable
from urllib.parse import quote

from adapters.http import Server
from adapters.rabbitmq.names import Place
from adapters.rabbitmq.seen import Seen
from console.domain.errors import BackendError, ErrorKind

PATH = "/metrics/detailed"
FAMILIES = ("queue_coarse_metrics", "queue_consumer_count")
MAX_PAGE_BYTES = 64 * 1024 * 1024
"""About 180,000 queues."""
_READY, _UNACKED, _CONSUMERS = 0, 1, 2
_METRICS = {
    b"rabbitmq_detailed_queue_messages_ready": _READY,
    b"rabbitmq_detailed_queue_messages_unacked": _UNACKED,
    b"rabbitmq_detailed_queue_consumers": _CONSUMERS,
}
_LARGEST = 2**53
_LINE = re.compile(rb'\w+\{vhost="(.*?)",queue="(.*)"\} (\S+)', re.DOTALL)
"""Greedy at the queue's name: RabbitMQ 3.10 writes a quote in a name as it is."""
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class CoarsePages:
    """The pages of one node, one after the other."""

    def __init__(self, server: Server, vhosts: tuple[str, ...], known: Callable[[Place], bool]) -> None:
        """`known`: whether there is a queue, as far as somebody has listed them."""
        self.server = server
        self._is_known = known
        self._escapes = False
        """Whether this server escapes names, as far as names have shown it."""
        families = "&".join(f"family={family}" for family in FAMILIES)
        self._path = f"{PATH}?{families}&" + "&".join(f"vhost={quote(vhost, safe='')}" for vhost in vhosts)
        self._vhosts = {vhost: vhost for vhost in vhosts}
        self._last: dict[int, bytes] = {}
        """Each metric's lines on the last page, as one text: apart they would take twice as much."""
        self.queues: dict[Place, Seen] = {}
        """As of the last page; a queue keeps its object from page to page."""

    async def read(self) -> dict[Place, Seen]:
        """Ask for a page and take it in.

        Raises:
            BackendError: what the read met; MALFORMED when the page is not what it should be.
        """
        body = await self.server.body(self._path, ("text/plain", "openmetrics"), max_body=MAX_PAGE_BYTES)
        return self.take(body)

    def take(self, body: bytes) -> dict[Place, Seen]:
        """The numbers of every queue on a page.

        Raises:
            BackendError: MALFORMED when it is cut, or has none of the metrics.
        """
        where = f"GET {self.server.url}{PATH}"
        if not body.endswith(b"\n"):
            raise BackendError(ErrorKind.MALFORMED, "the page ends in the middle of a line", where=where)
        blocks = _blocks(body)
        if _READY not in blocks:
            way_out = "enable rabbitmq_prometheus; /metrics/detailed needs RabbitMQ 3.10 or newer"
            raise BackendError(ErrorKind.MALFORMED, "the page has no queue metrics", where=where, way_out=way_out)
        for what, block in blocks.items():
            if self._last.get(what) == block:
                continue
            before, lines = _lines(self._last.get(what, b"")), _lines(block)
            fresh = lines - before
            if what == _READY:
                self._drop(before - lines, fresh)
            for line in fresh:
                self._learn(what, line, where)
            self._last[what] = block
        return self.queues

    def _drop(self, gone: set[bytes], fresh: set[bytes]) -> None:
        """Forget the queues that are not there any more: those whose old line is gone without a new one."""
        for place in {self._place(line) for line in gone} - {self._place(line) for line in fresh}:
            if place is not None:
                self.queues.pop(place, None)

    def _learn(self, what: int, line: bytes, where: str) -> None:
        found = _LINE.fullmatch(line)
        if found is None:
            raise BackendError(
                ErrorKind.MALFORMED, f"{line[:80].decode(errors='replace')} is no line of the metrics", where=where
            )
        place = self._place(line)
        try:
            value = min(int(float(found[3])), _LARGEST)
        except (ValueError, OverflowError):  # NaN, or `undefined`: a queue that is just being made
            return
        if place is None:
            return
        row = self.queues.get(place)
        if row is None:
            row = self.queues[place] = Seen()
        if what == _READY:
            row.ready = value
        elif what == _UNACKED:
            row.unacked = value
        else:
            row.consumers = value

    def _place(self, line: bytes) -> Place | None:
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        return self._read_names(found[1], found[2])

    def _read_names(self, vhost: bytes, queue: bytes) -> Place | None:
        """The queue that two labels mean. 4.0 escapes them, 3.10 does not: what is known decides."""
        raw = Place(vhost.decode(errors="replace"), queue.decode(errors="replace"))
        if "\\" not in raw.queue + raw.vhost:
            return Place(self._vhosts[raw.vhost], raw.queue) if raw.vhost in self._vhosts else None
        plain = Place(_unescaped(raw.vhost), _unescaped(raw.queue))
        if self._is_known(raw) != self._is_known(plain):
            self._escapes = self._is_known(plain)
        place = plain if self._escapes else raw
        return place if place.vhost in self._vhosts else None


def _lines(block: bytes) -> set[bytes]:
    return set(block.split(b"\n")) - {b""}


def _blocks(body: bytes) -> dict[int, bytes]:
    """The lines of each wanted metric, without its comments."""
    blocks: dict[int, bytes] = {}
    for name, what in _METRICS.items():
        start = body.find(b"# TYPE " + name + b" ")
        if start < 0:
            continue
        end = body.find(b"\n# TYPE ", start)
        first = body.find(b"\n" + name + b"{", start)  # past the comments
        blocks[what] = body[first + 1 : end if end >= 0 else len(body)] if first >= 0 else b""
    return blocks


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)
