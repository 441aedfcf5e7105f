"""By hand: `python -m tests.real.stack prepare | up | live | fault NAME MODE`."""

import argparse
import sys

from tests.real.stack.agents import install_agents
from tests.real.stack.live import live, tell_fault, up
from tests.real.stack.missing import Missing
from tests.real.stack.processes import StartError
from tests.real.stack.telling_gateway import install_telling
from tests.real.stack.testbed import require
from tests.real.stack.upstream_server import MODES


def main() -> int:
    """Do one of the things above; returns an exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.real.stack")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("prepare", help="download what the real tier needs; says what is missing, and is no error")
    commands.add_parser("up", help="run the servers with traffic until interrupted")
    commands.add_parser("live", help="run the servers with traffic and the console on them")
    fault = commands.add_parser("fault", help="make an upstream of the running servers fail, or well again")
    fault.add_argument("name")
    fault.add_argument("mode", choices=MODES)
    fault.add_argument("--rate", type=float, default=1.0, help="the part of requests that the fault applies to")
    given = parser.parse_args()
    try:
        match given.command:
            case "prepare":
                return _prepare()
            case "up":
                return up()
            case "live":
                return live()
            case _:
                return tell_fault(given.name, given.mode, rate=given.rate)
    except (Missing, StartError) as error:
        print(f"the real servers cannot run here: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _prepare() -> int:
    for download in (require, install_agents, install_telling):
        try:
            download()
        except Missing as reason:
            print(f"a part of the real tier will be skipped: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
