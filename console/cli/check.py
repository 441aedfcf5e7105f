"""Try everything before it is needed: the config, the engine, every source, and what each credential may do."""

import argparse
import asyncio
from pathlib import Path

from console.cli.exits import Exit
from console.cli.output import table
from console.cli.session import environment_of, greeted
from console.domain.errors import ConfigError
from console.domain.wire import AccessLevel, CheckRow, Hello
from console.places import config_path

_WORDS = {True: "ok", False: "NO", None: "–"}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("environment", nargs="?", metavar="ENV", help="the config's default when it is left out")


def run(options: argparse.Namespace) -> int:
    """Print one line for each thing tried; 0 when all hold, 1 when one does not."""
    return asyncio.run(_run(options))


async def _run(options: argparse.Namespace) -> int:
    config = _config()
    if config.ok is False:
        _print([config])
        return Exit.CONFIG
    client, hello = await greeted(environment_of(options.environment))
    rows = [config, *_engine(hello, config.replica), *await client.check()]
    _print(rows)
    return Exit.WARN if any(row.ok is False for row in rows) else Exit.OK


def _config() -> CheckRow:
    path = config_path()
    if not path.exists():
        return CheckRow(source="config", replica=str(path), what="read", ok=None, words="no file; the demo needs none")
    from console.config.reader import load

    try:
        config = load(path)
    except ConfigError as error:
        return CheckRow(source="config", replica=str(path), what="read", ok=False, words=str(error))
    names = ", ".join(config.environments)
    return CheckRow(source="config", replica=str(path), what="read", ok=True, words=f"environments: {names}")


def _engine(hello: Hello, path: str) -> list[CheckRow]:
    access = hello.access
    words = f"{access.operator}: {access.level}"
    if access.level is not AccessLevel.OPERATE:
        words += "; operate can be asked for" if access.may_operate else f"; {access.why_not}"
    return [
        _read_by(hello, path),
        CheckRow(source="engine", replica=f"pid {hello.pid}", what="access", ok=True, words=words),
    ]


def _read_by(hello: Hello, path: str) -> CheckRow:
    """Whether the engine goes by the same file, as it is now."""
    ok, words = None, f"{hello.environment} is built in"
    if hello.config_path:
        ok, words = hello.config_path == path, f"{hello.environment} from {hello.config_path}"
        if ok and Path(path).stat().st_mtime > hello.started_at:
            ok = False
            words += f" as it was before its last change; `switchgear stop {hello.environment}` lets it be read anew"
    return CheckRow(source="engine", replica=f"pid {hello.pid}", what="config", ok=ok, words=words)


def _print(rows: list[CheckRow]) -> None:
    lines = [
        (row.source, row.replica, row.what, _WORDS[row.ok], words)
        for row in rows
        for words in (row.words.splitlines() or [""])
    ]
    styles = ["bold red" if mark == "NO" else "" for _, _, _, mark, _ in lines]
    table(("WHERE", "REPLICA", "WHAT", "", "WORDS"), lines, styles=styles)
