"""Write one request, or one conversation, into a file that `switchgear open` shows on another machine.

By default without a word of what applications said: names, times, counts and ids remain. --shown masked keeps their
words but for what looks like a credential, --shown raw keeps everything.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from console.cli.exits import Exit
from console.cli.output import note
from console.cli.session import board_of, environment_of, greeted
from console.cli.targets import store_of
from console.domain.bundles import Bundle, BundleQuery, Shown, encode
from console.domain.errors import ConfigError
from console.domain.text import clean


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("request", nargs="?", default="", metavar="TRACE", help="a request's trace id")
    parser.add_argument("--conversation", default="", metavar="ID", help="all requests of a conversation instead")
    parser.add_argument("-e", "--env", default="", metavar="ENV", help="the config's default when it is left out")
    parser.add_argument("--source", default="", help="which trace store, where there are several")
    parser.add_argument("--shown", choices=[str(one) for one in Shown], default=str(Shown.STRUCTURE))
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to; by default after its id, here")


def run(options: argparse.Namespace) -> int:
    """Ask the engine for it, and write it, readable by this account alone; a file that is there is never replaced."""
    bundle = asyncio.run(_ask(options))
    path = options.output or Path(f"{_named(options)}.switchgear.json.gz")
    data = encode(bundle)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
    except FileExistsError:
        raise ConfigError(f"{path} is there already; name another file with --output") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
    spans = sum(len(trace.spans) for trace in bundle.traces)
    sys.stdout.write(f"{path}: {len(bundle.traces)} requests, {spans} spans, {len(data):,} bytes, {bundle.shown}\n")
    for words in bundle.notes:
        note(clean(words))
    return Exit.OK


async def _ask(options: argparse.Namespace) -> Bundle:
    client, _ = await greeted(environment_of(options.env))
    source = options.source
    if not source:
        source = store_of(await board_of(client, 15.0), source)
    query = BundleQuery(
        source=source, trace_id=options.request, conversation=options.conversation, shown=Shown(options.shown)
    )
    return await client.bundle(query)


def _named(options: argparse.Namespace) -> str:
    """A file's name out of an id that somebody else has chosen."""
    text = options.request or options.conversation
    return "".join(sign if sign.isalnum() or sign in "-_" else "-" for sign in text)[:80] or "bundle"
