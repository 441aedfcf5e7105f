"""What most commands begin with: which environment, its engine, and its board once something is known."""

import asyncio

from console import __version__
from console.cli.output import note
from console.client import SocketClient, attach
from console.domain.board import Board
from console.domain.errors import EngineLost
from console.domain.freshness import Freshness
from console.domain.readings import Source
from console.domain.wire import Hello


def environment_of(given: str | None) -> str:
    """The environment that was named, or the default one.

    Raises:
        ConfigError: none was named and the config does not say which.
    """
    if given:
        return given
    from console.config.document import default_environment
    from console.places import config_path

    return default_environment(config_path())


async def greeted(environment: str, *, start: bool = True) -> tuple[SocketClient, Hello]:
    """A client whose engine has answered; an engine of another version is mentioned on standard error.

    Raises:
        EngineLost: there is none and none can be started.
    """
    client = attach(environment, start=start)
    hello = await client.hello()
    if hello.version != __version__:
        note(
            f"the engine is {hello.version} and this command {__version__}; "
            f"`switchgear stop {environment}` ends it, and the next command starts the new one"
        )
    return client, hello


async def board_of(client: SocketClient, patience_s: float) -> Board:
    """The engine's board, once every source was looked at or `patience_s` seconds are over.

    Raises:
        EngineLost: the engine went away, or said nothing at all.
    """
    board = Board()
    try:
        async with asyncio.timeout(patience_s):
            async for event in client.events():
                board.apply(event)
                if _looked_at(board):
                    break
    except TimeoutError:
        if not board.seq and not board.readings:
            raise EngineLost(f"the engine of {client.environment} has said nothing for {patience_s:g} s") from None
    return board


def _looked_at(board: Board) -> bool:
    sources = list(board.of(Source))
    return bool(sources) and all(s.freshness is not Freshness.MISSING or s.failure is not None for s in sources)
