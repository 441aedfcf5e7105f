"""Practise: the console on an incident that nobody names, and a score at the end."""

import argparse
import asyncio
import secrets

from console.cli.catalogue import Listed, ask, listed
from console.cli.exits import Exit
from console.cli.gameday_words import words_of
from console.cli.output import note, say
from console.cli.rehearsal import rehearse
from console.cli.screen import show
from console.client import SocketClient, attach
from console.client.starter import listens
from console.domain.errors import ConfigError, EngineLost, Refusal
from console.domain.games import Game, Played, Score
from console.domain.wire import AuditQuery, AuditRow, LogEntry, LogQuery, decode, encode
from console.places import GAMEDAY, game_path, private_dir, state_dir

PAGE = 1000
"""Rows of the audit log that are asked for at once."""
SPEED = 10.0
"""How many times faster than life an incident unfolds unless it is said otherwise."""
SEEDS = 1_000_000
CONTROLS = 6
"""One game in so many is a day on which nothing is broken: to leave it alone is the right thing, too."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--scenario", default="", metavar="NAME", help="set one for somebody else; otherwise by chance")
    parser.add_argument("--seed", type=int, default=None, metavar="N", help="the same game again, as a score names it")
    parser.add_argument("--speed", type=float, default=SPEED, metavar="X", help="times faster than life it unfolds")
    parser.add_argument("--score", nargs="?", const="", default=None, metavar="GAME", help="score a game; the last one")
    parser.add_argument("--json", action="store_true", help="the score as JSON")


def run(options: argparse.Namespace) -> int:
    """Play until the screen is left, then say what it was worth."""
    if options.score is not None:
        name = options.score or _last()
        return _tell(_played(name), as_json=options.json)
    name = f"{GAMEDAY}-{secrets.token_hex(4)}"
    private_dir(state_dir(name))
    game_path(name).write_bytes(encode(_game(options)))
    rehearse(name)
    code = show(name)
    if code:
        return code
    note(f"the game {name} is over; the world plays it again: as you did, without anybody, and as one who knows")
    return _tell(_played(name, end=True), as_json=options.json)


def _game(options: argparse.Namespace) -> Game:
    """What is played: by chance, unless it is said.

    Raises:
        ConfigError: there is no such scenario, or the speed is none.
    """
    known = listed()
    if options.scenario and options.scenario not in [item.name for item in known]:
        raise ConfigError(f"there is no scenario {options.scenario!r}; `switchgear scenarios` lists them")
    if not 0 < options.speed <= 1000:
        raise ConfigError(f"--speed {options.speed:g}: more than 0, and at most 1000")
    seed = secrets.randbelow(SEEDS) if options.seed is None else options.seed
    return Game(scenario=options.scenario or _drawn(known), seed=seed, speed=options.speed)


def _drawn(known: tuple[Listed, ...]) -> str:
    quiet = not secrets.randbelow(CONTROLS)
    names = [item.name for item in known if (item.kind == "control") is quiet]
    return secrets.choice(names or [item.name for item in known])


def _last() -> str:
    """The game that was begun last.

    Raises:
        ConfigError: none ever was.
    """
    games = sorted(state_dir(GAMEDAY).parent.glob(f"{GAMEDAY}-*/game.json"), key=lambda path: path.stat().st_mtime)
    if not games:
        raise ConfigError("no game was played here yet; `switchgear gameday` begins one")
    return games[-1].parent.name


def _played(name: str, *, end: bool = False) -> Played:
    """A game that was ended as it was kept then, otherwise as far as it has come by now.

    Raises:
        ConfigError: nothing is known of it.
    """
    kept = game_path(name).with_name("played.json")
    if kept.exists() and not end:
        return decode(kept.read_bytes(), Played)
    client = attach(name, start=False)
    if not listens(client.path):
        raise ConfigError(f"nothing is known of a game {name!r}: its engine ended before it was scored")
    played = asyncio.run(_fetch(client, name, end=end))
    if end:
        kept.write_bytes(encode(played))
    return played


async def _fetch(client: SocketClient, name: str, *, end: bool) -> Played:
    hello = await client.hello()
    rows = await _rows(client)
    log = await client.log(LogQuery(limit=PAGE))
    ended_at = max([hello.started_at, *(row.at for row in rows), *(line.at for line in log), await _now(client)])
    found = Played(
        game=decode(game_path(name).read_bytes(), Game),
        begun_at=hello.started_at,
        ended_at=ended_at,
        rows=tuple(row for row in rows if row.at >= hello.started_at),
        log=_since(log, hello.started_at),
    )
    if end:
        try:
            await client.stop("the game is over")
        except (Refusal, EngineLost):
            note(f"its engine stays until every override and every run has ended; `switchgear {name}` shows it")
    return found


def _since(log: tuple[LogEntry, ...], start: float) -> tuple[LogEntry, ...]:
    return tuple(line for line in reversed(log) if line.at >= start)


async def _now(client: SocketClient) -> float:
    """The engine's clock."""
    async for event in client.events():
        return event.at
    return 0.0


async def _rows(client: SocketClient) -> list[AuditRow]:
    """The whole audit log, oldest first."""
    found: list[AuditRow] = []
    before: int | None = None
    while page := await client.audit(AuditQuery(before_seq=before, limit=PAGE)):
        found += page
        before = page[-1].seq
    return found[::-1]


def _tell(played: Played, *, as_json: bool) -> int:
    score = decode(ask("scoring", given=encode(played)), Score)
    if as_json:
        say(encode(score).decode())
    else:
        for line in words_of(score):
            say(line)
    return Exit.OK
