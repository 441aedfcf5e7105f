"""Open the console on the embedded simulator: no config, no server, nothing that can break."""

import argparse
import re

from console.cli.screen import show
from console.config.document import DEMO
from console.domain.errors import ConfigError


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--scenario", default="", help="which incident: calm, provider-brownout, outage-with-retries, split-snapshots"
    )
    parser.add_argument("--speed", default="", metavar="N", help="how many times faster than life it unfolds")


def run(options: argparse.Namespace) -> int:
    """Each scenario is an environment of its own name, so that several can run side by side."""
    return show(environment(options.scenario, options.speed))


def environment(scenario: str, speed: str) -> str:
    """The built-in environment of a scenario and a speed: `demo-provider-brownout-x10`.

    Raises:
        ConfigError: one of them is none.
    """
    if scenario and not re.fullmatch(r"[a-z][a-z0-9-]*", scenario):
        raise ConfigError(f"{scenario!r} is no scenario; `switchgear adapters simulator` lists them")
    if speed and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", speed):
        raise ConfigError(f"--speed {speed!r} is no number")
    return "-".join(part for part in (DEMO, scenario, speed and f"x{speed}") if part)
