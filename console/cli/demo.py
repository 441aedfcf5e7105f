"""Open the console on the embedded simulator: no config, no server, nothing that can break."""

import argparse
import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

from console.cli.catalogue import listed
from console.cli.rehearsal import rehearse
from console.cli.screen import show
from console.client import attach
from console.client.starter import listens
from console.config.document import DEMO
from console.domain.errors import ConfigError, EngineLost, Refusal

if TYPE_CHECKING:
    from console.ui.staging import Staged

END_S = 5.0
"""How long the engine of an incident that is begun anew may take to end."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--scenario", default="", metavar="NAME", help="which incident; `switchgear scenarios` lists them"
    )
    parser.add_argument("--pick", action="store_true", help="choose the incident on the screen")
    parser.add_argument("--speed", default="", metavar="N", help="how many times faster than life it unfolds")
    parser.add_argument("--seed", default="", metavar="N", help="another day: noise, bursts and chance of their own")


def run(options: argparse.Namespace) -> int:
    """Each scenario is an environment of its own name, so that several can run side by side.

    Raises:
        ConfigError: there is none of that name, or a number is none.
    """
    from console.ui.staging import Staging

    environment(options.scenario, options.speed, options.seed)  # refuses what is no number before anything is asked
    if options.scenario:
        known = [one.name for one in listed()]
        if options.scenario not in known:
            raise ConfigError(f"there is no scenario {options.scenario!r}; there are: {', '.join(known)}")
    scenario, staging = options.scenario, Staging(_staged, ask_first=options.pick)
    while True:
        name = environment(scenario, options.speed, options.seed)
        if scenario and not listens(attach(name, start=False).path):
            rehearse(name)
        code = show(name, staging=staging)
        if not staging.wanted:
            return code
        scenario, staging = staging.wanted, Staging(_staged, known=staging.known)
        asyncio.run(_begin_anew(environment(scenario, options.speed, options.seed)))


def _staged() -> "tuple[Staged, ...]":
    from console.ui.staging import Staged

    return tuple(Staged(item.name, item.summary, item.kind) for item in listed())


async def _begin_anew(name: str) -> None:
    """End the engine of an incident that has already gone on; where that is refused, it is shown as it stands."""
    client = attach(name, start=False)
    if not listens(client.path):
        return
    with contextlib.suppress(Refusal, EngineLost, TimeoutError):
        await client.stop("begun anew from the screen")
        async with asyncio.timeout(END_S):
            while client.path.exists():  # noqa: ASYNC110  another process removes it as its last act
                await asyncio.sleep(0.05)


def environment(scenario: str, speed: str, seed: str = "") -> str:
    """The built-in environment of a scenario, a speed and a seed: `demo-provider-brownout-x10-s3`.

    Raises:
        ConfigError: one of them is none.
    """
    if scenario and not re.fullmatch(r"[a-z][a-z0-9-]*", scenario):
        raise ConfigError(
            f"{scenario!r} is no scenario; `switchgear scenarios` lists them, and a file of your own goes into a config"
        )
    if speed and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", speed):
        raise ConfigError(f"--speed {speed!r} is no number")
    if seed and not re.fullmatch(r"[0-9]{1,9}", seed):
        raise ConfigError(f"--seed {seed!r} is no whole number of at most nine digits")
    return "-".join(part for part in (DEMO, scenario, speed and f"x{speed}", seed and f"s{seed}") if part)
