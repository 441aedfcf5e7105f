"""Reading stored messages in order, many at once, without taking them."""

import math

from adapters.nats.api import Message, Stream
from adapters.nats.servers import Asks, next_message, together

WINDOW = 256
"""Messages that are read, and then moved, at once."""
_LANES = WINDOW
"""Questions that are under way at once."""
_MOST_BYTES = 32 * 2**20
"""What a window may hold in memory, by the stream's average message."""


def window_of(stream: Stream) -> int:
    """How many messages of a stream are moved at once."""
    average = stream.state.bytes / max(1, stream.state.messages)
    return max(1, min(WINDOW, int(_MOST_BYTES / max(1.0, average))))


async def read_window(
    asks: Asks, stream: str, filters: tuple[str, ...], first: int, last: int, many: int, expected: int
) -> list[Message]:
    """Up to `many` messages from sequence `first` to `last` whose subject matches, in order; none when there is none.

    A question brings the next message from a sequence on, so that one after the other would take a way to the server
    each: the sequences are cut into lanes that are walked side by side. `expected` is how many there are about.

    Raises:
        BackendError: what the reads met.
    """
    while first <= last:
        span = last - first + 1
        width = min(span, math.ceil(many * max(1.0, span / max(1, expected))))
        step = max(1, math.ceil(width / _LANES))
        ends = [(begin, min(begin + step, first + width) - 1) for begin in range(first, first + width, step)]
        lanes = await together(_walk(asks, stream, one, *lane, many) for one in filters for lane in ends)
        found = {message.seq: message for lane in lanes for message in lane}
        if found:
            return [found[seq] for seq in sorted(found)[:many]]
        first += width
    return []


async def _walk(asks: Asks, stream: str, subject: str, first: int, last: int, many: int) -> list[Message]:
    found: list[Message] = []
    while first <= last and len(found) < many:
        message = await next_message(asks, stream, first, subject)
        if message is None or message.seq > last:
            break
        found.append(message)
        first = message.seq + 1
    return found
