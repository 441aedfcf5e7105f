"""Messages as lines of a file, before they are deleted."""

import os
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from adapters.simulator.queues.backlog import Message


def path_of(folder: Path, queue: str, stamp: int) -> Path:
    """Where the messages of one purge are written; names that differ have files that differ."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "_", queue)[:60].strip("._") or "queue"
    return folder / f"{readable}-{sha256(queue.encode()).hexdigest()[:8]}-{stamp}.jsonl"


def append(path: Path, queue: str, messages: Sequence[Message]) -> None:
    """Write messages behind those that are there, one JSON object a line, safe on the disk on return.

    Raises:
        OSError: they could not be written; nothing may be deleted then.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
        for message in messages:
            file.write(msgspec.json.encode(_line(queue, message)) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _line(queue: str, message: Message) -> dict[str, object]:
    return {
        "queue": queue,
        "number": message.number,
        "came_at": round(message.at, 3),
        "priority": message.priority,
        "tries": len(message.tries),
        "failures": [delivery.call.failure for delivery in message.tries],
    }
