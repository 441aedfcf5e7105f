"""Open the console on the embedded simulator: no config, no server, nothing that can break."""

import argparse
import re

from console.cli.screen import show
from console.config.document import DEMO
from console.domain.errors import ConfigError


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--scenario", default="", metavar="NAME", help="which incident; `switchgear scenarios` lists them"
    )
    parser.add_argument("--speed", default="", metavar="N", help="how many times faster than life it unfolds")
    parser.add_argument("--seed", default="", metavar="N", help="another day: noise, bursts and chance of their own")


def run(options: argparse.Namespace) -> int:
    """Each scenario is an environment of its own name, so that several can run side by side.

    Raises:
        ConfigError: there is none of that name, or a number is none.
    """
    name = environment(options.scenario, options.speed, options.seed)
    if options.scenario:
        from console.cli.scenarios import ask

        known = [one["name"] for one in ask()]
        if options.scenario not in known:
            raise ConfigError(f"there is no scenario {options.scenario!r}; there are: {', '.join(known)}")
    return show(name)


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
