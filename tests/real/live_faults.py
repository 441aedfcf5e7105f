"""Faults at the upstreams of a real LiteLLM, and what the engine as it is shipped says of each, and after how long.

By hand: `python -m tests.real.live_faults [--minutes 6] [UPSTREAM …]`. It watches the stack for so many minutes while
all is well, tells that to fresh detectors over and over as their past (`stack/past.py`: its readings at their true
spacing, up to now), gives the engine a journal of it, and breaks one upstream after the other; one JSON object a line.
"""

import argparse
import asyncio
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from console.config.model import Retention
from console.domain.alerts import Alert, AlertState
from console.domain.answers import ANSWERS_STEP_S, LATE_S
from console.domain.board import Board
from console.domain.incidents import Incident
from console.engine.clock import SystemClock
from console.engine.journal import Journal
from tests.real.operator import Operator
from tests.real.stack.past import LOOK_S, LOUD, Hearing, Seen, answered, look_while
from tests.real.stack.processes import Nursery
from tests.real.stack.switchgear import Home
from tests.real.stack.testbed import Testbed
from tests.real.stack.watched import GATEWAY, PROVIDERS, TRACES, Watched, asking, start_watched

PAST_S = 26 * 3600.0
"""A whole day and a little."""
PAUSE_S = 2.0
"""Between an answer and the next question of a user."""
PATIENCE_S = 900.0
CALM_S = 75.0
"""Before each fault, under its own engine: until no window has anything of the one before."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to one upstream, and the rules any of which names it."""

    name: str
    upstream: str
    rules: tuple[str, ...]
    mode: str = "ok"
    fields: Mapping[str, float] = field(default_factory=dict)


FAULTS = (
    Fault("time to first token × 3", "claude-e", ("latency",), fields={"latency_s": 0.9}),
    Fault("4 of 10 turned away (429)", "groq-c", ("throttling",), "429", {"error_rate": 0.4}),
    Fault("4 of 10 fail (500)", "nova-g", ("errors",), "500", {"error_rate": 0.4}),
    Fault("half of the JSON cut in two", "azure-b", ("unparsed",), "malformed", {"error_rate": 0.5}),
    Fault("half refused (content filter)", "mistral-f", ("finish/content_filter",), "refuse", {"error_rate": 0.5}),
    Fault("half as many tokens again", "deepseek-h", ("tokens",), fields={"tokens_in": 30}),
)


def home_of(watched: Watched, name: str) -> Home:
    """A home for the engine as it is shipped, over the gateway and its spans."""
    traces = {"adapter": "otlp", "interval": "5s", "options": {"file": str(watched.collector.file)}}
    home = Home(cast(Testbed, watched), name, access="read-only", sources={"traces": traces})
    settings = json.loads(home.config.read_text())
    settings["environments"][name]["sources"][GATEWAY]["options"] |= {"providers": PROVIDERS, "window": "60s"}
    home.config.write_text(json.dumps(settings))
    return home


async def remembered(seen: Seen, folder: Path) -> None:
    """Give an engine that begins now a journal of what detectors learnt of what was seen, told as a past up to now."""
    now = time.time()
    hearing = Hearing(GATEWAY, TRACES, now - PAST_S)
    for _ in hearing.tell(seen, now):
        pass
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = Journal(folder / "journal.sqlite", SystemClock(), Retention())
    await journal.open()
    for name in hearing.watch.learners:
        if (state := hearing.watch.remember(name)) is not None:
            journal.keep_learnt(name, state)
    await journal.close()


async def watch_well(watched: Watched, minutes: float) -> Seen:
    """What is seen of a stack that is well."""
    gateway, traces = watched.gateway(), watched.traces()
    begin = math.ceil(time.time() / ANSWERS_STEP_S) * ANSWERS_STEP_S
    end = begin + 60.0 * minutes
    waiting = asyncio.create_task(asyncio.sleep(end + LATE_S - time.time()))
    looks = await look_while(waiting, gateway, LOOK_S)
    found = await answered(traces, TRACES, begin, end)
    await gateway.close()
    await traces.close()
    if len(looks) <= 4 or not found:
        raise SystemExit(f"in {minutes:g} min the gateway answered {len(looks)} looks and told of {len(found)} minutes")
    return Seen(looks[4:], found)  # the window is a minute


async def trial(watched: Watched, seen: Seen, fault: Fault) -> dict[str, Any]:
    """Break one upstream under an engine of its own, and wait until somebody is called."""
    home = home_of(watched, f"fault-{fault.upstream}")
    await remembered(seen, home.folder / "state" / home.name)
    engine = await asyncio.to_thread(home.start_engine)
    operator = Operator(home)
    await operator.board(lambda board: not _loud(board) and len(board.readings) > len(PROVIDERS))
    await asyncio.sleep(CALM_S)
    before = _loud(await operator.board())
    began = time.monotonic()
    watched.tell(fault.upstream, fault.mode, **fault.fields)
    first = named = None
    while named is None and time.monotonic() - began < PATIENCE_S:
        await asyncio.sleep(1.0)
        board = await operator.board()
        new = [alert for alert in _loud(board) if alert.id not in {one.id for one in before}]
        if new and first is None:
            first = _told(new[0], began)
        named = next((_told(one, began) | _blamed(board, one) for one in new if names(one, fault)), None)
    watched.heal()
    await asyncio.to_thread(engine.stop)
    before_words = [f"{alert.rule}@{alert.ref}" for alert in before]
    return {"fault": fault.name, "upstream": fault.upstream, "first": first, "named": named, "before": before_words}


def names(alert: Alert, fault: Fault) -> bool:
    """Whether an alert tells of a fault and is on its upstream's deployment or provider."""
    return alert.rule in fault.rules and alert.ref.name in (fault.upstream, PROVIDERS[fault.upstream])


def _loud(board: Board) -> list[Alert]:
    return [one for one in board.alerts.values() if one.state is AlertState.FIRING and one.severity in LOUD]


def _told(alert: Alert, began: float) -> dict[str, Any]:
    after_s = round(time.monotonic() - began)
    return {"alert": alert.id, "severity": str(alert.severity), "after_s": after_s, "words": alert.words}


def _blamed(board: Board, alert: Alert) -> dict[str, Any]:
    mine: list[Incident] = [one for one in board.incidents.values() if alert.id in one.alerts]
    if not mine:
        return {}
    blame = mine[0].blame
    return {"incident": mine[0].title, "blames": f"{blame.dimension}/{blame.name}" if blame else ""}


async def main(minutes: float, upstreams: list[str]) -> None:
    """Everything, one line for each fault; no `upstreams` are all of them."""
    nursery = Nursery()
    try:
        watched = await asyncio.to_thread(start_watched, nursery)
        users = asyncio.create_task(asking(watched, PAUSE_S))
        seen = await watch_well(watched, minutes)
        for fault in FAULTS:
            if not upstreams or fault.upstream in upstreams:
                print(json.dumps(await trial(watched, seen, fault)), flush=True)
        users.cancel()
    finally:
        nursery.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.real.live_faults")
    parser.add_argument("--minutes", type=float, default=6.0, help="how long the stack is watched while all is well")
    parser.add_argument("upstreams", nargs="*", metavar="UPSTREAM", help=", ".join(fault.upstream for fault in FAULTS))
    given = parser.parse_args()
    asyncio.run(main(given.minutes, given.upstreams))
