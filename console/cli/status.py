"""Say how an environment is. The exit code tells the worst: 0 ok, 1 warning, 2 bad, 3 stale or unreachable."""

import argparse
import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from console.cli.exits import OF_LEVEL
from console.cli.output import say, say_json, table
from console.cli.session import board_of, environment_of, greeted
from console.domain.alerts import Severity
from console.domain.board import Board
from console.domain.durations import words_of
from console.domain.health import (
    NOT_SEEN,
    Columns,
    Finding,
    Health,
    Level,
    all_columns,
    answers_seen,
    disagreement,
    findings,
    overall,
)
from console.domain.incidents import Incident
from console.domain.readings import AgeQuality, Queue, Source
from console.domain.refs import Ref
from console.domain.text import clean
from console.domain.wire import Hello

LISTED = 1000
"""Queues that `--json` prints at the most."""
LISTED_IN_TEXT = 20

_STYLES = {Level.BAD: "bold red", Level.STALE: "magenta", Level.WARN: "yellow", Level.NOTICE: "cyan", Level.OK: ""}


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `status --json` prints, in one line."""

    environment: str
    level: str
    """`ok`, `notice`, `warn`, `stale` or `bad`."""
    at: float
    """The engine's clock, unix seconds."""
    engine_pid: int
    engine_version: str
    access: str
    sources: tuple[Source, ...]
    transport: str
    """The worst level of whether requests get through, over everything …"""
    answers: str
    """… and of whether what comes back is right; `not seen` when no source on the board tells."""
    disagreement: str
    """One line where transport and answers disagree; else empty."""
    incidents: tuple[Incident, ...]
    """Those that are not over, the worst first."""
    findings: tuple[dict[str, str], ...]
    """The worst first: `ref`, `level`, `word`, `why`, and the levels `transport`, `answers`, `cost`."""
    overrides: tuple[Any, ...]
    queues: tuple[Queue, ...]
    """The longest first, at most `LISTED`."""
    queues_left_out: int


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("environment", nargs="?", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--json", action="store_true", help="one JSON object in one line")
    parser.add_argument("--wait", type=float, default=15.0, metavar="S", help="seconds for a new engine's first looks")
    parser.add_argument("--no-start", action="store_true", help="do not start an engine when none runs")


def run(options: argparse.Namespace) -> int:
    """Print the judgement and return its code."""
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    environment = environment_of(options.environment)
    client, hello = await greeted(environment, start=not options.no_start)
    board = await board_of(client, options.wait)
    if options.json:
        say_json(_report(environment, hello, board))
    else:
        _print(environment, board)
    return OF_LEVEL[overall(board)]


def _report(environment: str, hello: Hello, board: Board) -> StatusReport:
    queues = _queues(board)
    judged = all_columns(board)
    apart = disagreement(board, judged)
    return StatusReport(
        environment=environment,
        level=overall(board).name.lower(),
        at=board.at,
        engine_pid=hello.pid,
        engine_version=hello.version,
        access=hello.access.level,
        sources=tuple(board.of(Source)),
        transport=_worst(one.transport for one in judged.values()),
        answers=_answers(board, judged),
        disagreement="" if apart is None else apart.words,
        incidents=tuple(_incidents(board)),
        findings=tuple(_row(item, judged.get(item.ref)) for item in findings(board)),
        overrides=tuple(board.overrides.values()),
        queues=tuple(queues[:LISTED]),
        queues_left_out=max(0, len(queues) - LISTED),
    )


def _row(item: Finding, columns: Columns | None) -> dict[str, str]:
    level, word, why = item.health
    found = {"ref": str(item.ref), "level": level.name.lower(), "word": word, "why": why}
    if columns is not None:
        found |= {name: health.level.name.lower() for name, health in columns._asdict().items()}
    return found


def _worst(judged: Iterable[Health]) -> str:
    return max((health.level for health in judged), default=Level.STALE).name.lower()


def _answers(board: Board, judged: Mapping[Ref, Columns]) -> str:
    basis = answers_seen(board)
    return basis.word if basis is NOT_SEEN else _worst(one.answers for one in judged.values())


def _incidents(board: Board) -> list[Incident]:
    """Those that are not over; pages first, then the oldest."""
    still = [one for one in board.incidents.values() if one.until is None]
    return sorted(still, key=lambda one: (one.severity is not Severity.PAGE, one.since))


def _print(environment: str, board: Board) -> None:
    sources = list(board.of(Source))
    judged = all_columns(board)
    transport, answers = _worst(one.transport for one in judged.values()), _answers(board, judged)
    say(f"{environment}: {overall(board).name.lower()}")
    say(f"transport: {transport}, answers: {answers}")
    if (apart := disagreement(board, judged)) is not None:
        say(apart.words)
    _print_incidents(board)
    table(
        ("SOURCE", "STATE", "REPLICAS", "LAST LOOK"),
        [(s.ref.name, str(s.freshness), _replicas(s), _age(board.at, s.last_ok_at)) for s in sources],
    )
    found = findings(board)
    if found:
        say()
        rows = [
            (
                item.health.level.name.lower(), str(item.ref), item.health.word, *_two(judged.get(item.ref)),
                item.health.why,
            )
            for item in found
        ]  # fmt: skip
        headers = ("LEVEL", "WHAT", "STATE", "TRANSPORT", "ANSWERS", "WHY")
        table(headers, rows, styles=[_STYLES[item.health.level] for item in found])
    _print_queues(board)
    if board.overrides:
        say()
        held = [
            (o.id, str(o.action.verb), str(o.target), o.owner, o.reason, _ends(o.expires_at, board.at))
            for o in board.overrides.values()
        ]
        table(("OVERRIDE", "VERB", "TARGET", "OWNER", "REASON", "ENDS"), held)


def _two(columns: Columns | None) -> tuple[str, str]:
    if columns is None:
        return "–", "–"
    return columns.transport.level.name.lower(), columns.answers.level.name.lower()


def _print_incidents(board: Board) -> None:
    for incident in _incidents(board):
        say()
        say(f"{incident.severity}: {clean(incident.title, 300)} ({len(incident.alerts)} alerts)")
        if incident.blame is not None:
            say(f"  because {clean(incident.blame.because, 400)}")
            if incident.blame.against:
                say(f"  against it: {clean(incident.blame.against, 300)}")
        if incident.others:
            say(f"  or: {', '.join(f'{one.dimension} {clean(one.name, 60)}' for one in incident.others)}")
        for piece in incident.advice:
            say(f"  {'not: ' if piece.trap else 'may be done: '}{clean(piece.words, 300)}")
    if _incidents(board):
        say()


def _queues(board: Board) -> list[Queue]:
    """The longest first."""
    return sorted(board.of(Queue), key=lambda queue: (-queue.depth, str(queue.ref)))


def _print_queues(board: Board) -> None:
    queues = _queues(board)
    if not queues:
        return
    say()
    rows = [
        (
            str(queue.ref), f"{queue.depth:,}", _waits(queue), _number(queue.in_flight), _number(queue.consumers),
            _number(queue.growth_per_min, "+,.0f"), _number(queue.dead_letters), _number(queue.parked),
            "paused" if queue.paused else "",
        )
        for queue in queues[:LISTED_IN_TEXT]
    ]  # fmt: skip
    table(("QUEUE", "DEPTH", "OLDEST", "IN FLIGHT", "WORKERS", "GROWTH/MIN", "DEAD", "PARKED", ""), rows)
    if len(queues) > LISTED_IN_TEXT:
        say(f"and {len(queues) - LISTED_IN_TEXT:,} shorter queues")


def _waits(queue: Queue) -> str:
    if queue.oldest_age_s is None:
        return "?"
    return ("" if queue.age_quality is AgeQuality.EXACT else "≈") + words_of(queue.oldest_age_s)


def _number(value: float | None, form: str = ",.0f") -> str:
    return "–" if value is None else format(value, form)


def _replicas(source: Source) -> str:
    return f"{sum(r.up for r in source.replicas)}/{len(source.replicas)}" if source.replicas else "–"


def _age(now: float, then: float | None) -> str:
    return "never" if then is None else f"{max(0.0, now - then):.0f} s ago"


def _ends(at: float | None, now: float) -> str:
    return "when restored" if at is None else f"in {max(0.0, at - now) / 60:.0f} min"
