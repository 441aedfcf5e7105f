"""Say what the engine makes of the whole platform: retries by layer, recovery, money, spare capacity."""

import argparse
import asyncio

from console.cli.exits import Exit
from console.cli.output import say, say_json, table
from console.cli.session import board_of, environment_of, greeted
from console.domain.analysis import Analysis, CostWaterfall, Recovery
from console.domain.text import clean

_CARRIES = {True: "yes", False: "NO", None: "not known"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--json", action="store_true", help="one JSON object in one line")
    parser.add_argument("--wait", type=float, default=15.0, metavar="S", help="seconds for a new engine's first looks")


def run(options: argparse.Namespace) -> int:
    """Print the analysis; 1 when a route is held down by its retries or a provider could not be spared, else 0."""
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    client, _ = await greeted(environment_of(options.env))
    await board_of(client, options.wait)
    found = await client.analysis()
    if options.json:
        say_json(found)
    else:
        _print(found)
    held = any(one.recovery is Recovery.METASTABLE for one in found.recovery)
    return Exit.WARN if held or any(one.carries is False for one in found.without) else Exit.OK


def _print(found: Analysis) -> None:
    _print_retries(found)
    if found.cost is not None:
        _print_cost(found.cost)
    _print_without(found)
    if found.unknown:
        say()
    for words in found.unknown:
        say(f"not known: {clean(words, 300)}")


def _print_retries(found: Analysis) -> None:
    verdicts = {one.route: one for one in found.recovery}
    rows = []
    for xray in found.retries:
        layers = [f"{clean(layer.name, 40)} {layer.factor:.2f}×" for layer in xray.layers]
        verdict = verdicts.get(xray.route)
        said = f"{verdict.recovery}: {verdict.words}" if verdict is not None else ""
        rows.append((str(xray.route), f"{xray.amplification:.2f}×", " · ".join(layers), said))
    if rows:
        table(("ROUTE", "ATTEMPTS", "BY LAYER", "RECOVERY"), rows)


def _print_cost(cost: CostWaterfall) -> None:
    say()
    say(f"an hour costs ${cost.now_usd_per_h:,.2f}, usually ${cost.usual_usd_per_h:,.2f} ({clean(cost.usual_of, 80)})")
    rows = [(clean(step.name, 40), f"{step.usd_per_h:+,.2f}", step.words) for step in cost.steps]
    table(("STEP", "$/H", "WHY"), rows)


def _print_without(found: Analysis) -> None:
    if not found.without:
        return
    say()
    rows = [
        (str(one.provider), f"{one.demand_per_min:,.0f}", _room(one.room_per_min), _CARRIES[one.carries], one.words)
        for one in found.without
    ]
    table(("WITHOUT", "MOVES/MIN", "ROOM/MIN", "CARRIED", "WHY"), rows)


def _room(room: float | None) -> str:
    return "?" if room is None else f"{room:,.0f}"
