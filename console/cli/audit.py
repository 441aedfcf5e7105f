"""List the audit log, newest first, or verify that nothing in it was changed, moved or removed."""

import argparse
import asyncio
from datetime import UTC, datetime

from console.cli.exits import Exit
from console.cli.output import say, say_json, table
from console.cli.session import environment_of, greeted
from console.domain.wire import AuditQuery, AuditRow


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("what", nargs="?", choices=["list", "verify"], default="list")
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--limit", type=int, default=50, metavar="N", help="rows, 1 to 1000")
    parser.add_argument("--before", type=int, default=None, metavar="SEQ", help="rows older than this one")
    parser.add_argument("--action", default="", metavar="ID", help="rows of one action")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, bodies and hashes included")


def run(options: argparse.Namespace) -> int:
    """Print a page, or the verdict on the chain (0 it holds, 2 it does not)."""
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    client, _ = await greeted(environment_of(options.env))
    if options.what == "verify":
        report = await client.verify_audit()
        if options.json:
            say_json(report)
        else:
            say(("holds: " if report.holds else "BROKEN: ") + report.words)
        return Exit.OK if report.holds else Exit.BAD
    rows = await client.audit(AuditQuery(before_seq=options.before, limit=options.limit, action_id=options.action))
    if options.json:
        for row in rows:
            say_json(row)
    else:
        table(("SEQ", "WHEN (UTC)", "OPERATOR", "ACTION", "EVENT", "BODY"), [_cells(row) for row in rows])
    return Exit.OK


def _cells(row: AuditRow) -> tuple[str, ...]:
    when = datetime.fromtimestamp(row.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return str(row.seq), when, row.operator, row.action_id, row.event, row.body[:160]
