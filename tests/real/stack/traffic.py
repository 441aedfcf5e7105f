"""Applications that use the gateways: a steady, bounded stream of small requests, some of them streamed."""

import argparse
import asyncio
import itertools
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
from opentelemetry.trace import SpanKind, Tracer

from tests.real.stack.fleet import KEYS
from tests.real.stack.telling import CONVERSATION, Question, ask, failed, tracer_of

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MAX_PER_S = 50.0
_MAX_SECONDS = 12 * 3600.0
_CONVERSATIONS = 25
"""How many conversations each application has, in turn."""


@dataclass(slots=True)
class Tally:
    """What became of the requests, by group and HTTP status (`error` when there was no answer)."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def total(self, status: str = "") -> int:
        """How many there were, of one status or altogether."""
        return sum(count for (_, seen), count in self.seen.items() if not status or seen == status)


async def run_traffic(
    urls: Sequence[str], *, per_s: float, seconds: float, tally: Tally | None = None, spans: str | None = None
) -> Tally:
    """Send `per_s` requests a second for `seconds` seconds, to the gateways in turn, with every key on every route.

    Each key is an application, which tells what it does to the collector at `spans` when there is one.

    Raises:
        ValueError: a gateway that is not on this machine, or more than the bounds of this tool allow.
    """
    if any(urlsplit(url).hostname not in _LOOPBACK for url in urls):
        raise ValueError("traffic goes to loopback only")
    if not 0 < per_s <= _MAX_PER_S or not 0 < seconds <= _MAX_SECONDS:
        raise ValueError(f"at most {_MAX_PER_S:.0f} requests a second for {_MAX_SECONDS:.0f} seconds")
    tally = tally or Tally()
    uses = itertools.cycle([(key, model) for key in KEYS for model in key.models])
    gateways = itertools.cycle(urls)
    with ExitStack() as told:
        tracers = {key.alias: told.enter_context(tracer_of(key.alias, spans)) for key in KEYS}
        async with httpx.AsyncClient(timeout=30) as client, asyncio.TaskGroup() as running:
            for number in range(max(1, round(per_s * seconds))):
                key, model = next(uses)
                conversation = f"{key.alias}-{number % _CONVERSATIONS:03d}"
                question = Question(next(gateways), key.key, model, conversation, number % 3 == 0)
                running.create_task(_one(tracers[key.alias], client, question, tally))
                await asyncio.sleep(random.expovariate(per_s) if per_s < 5 else 1 / per_s)
    return tally


async def _one(tracer: Tracer, client: httpx.AsyncClient, question: Question, tally: Tally) -> None:
    about = {CONVERSATION: question.conversation}
    with tracer.start_as_current_span("POST /chat", kind=SpanKind.SERVER, attributes=about) as span:
        status = await ask(tracer, client, question)
        if status != "200":
            failed(span, status, f"{question.model} answered {status}")
    tally.seen[question.model, status] += 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--per-s", type=float, default=4.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--spans", default=None, help="where spans are sent")
    parser.add_argument("urls", nargs="+")
    given = parser.parse_args()
    seen = Tally()
    with suppress(KeyboardInterrupt):
        asyncio.run(run_traffic(given.urls, per_s=given.per_s, seconds=given.seconds, tally=seen, spans=given.spans))
    print({f"{model} {status}": count for (model, status), count in seen.seen.items()})
