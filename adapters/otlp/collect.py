"""`python -m adapters.otlp.collect`: receives OpenTelemetry's spans and keeps them in a file until they are old."""

import argparse
import asyncio
import ipaddress
import logging
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from adapters.otel import Aliases
from adapters.otlp.intake import Bounds, Intake
from adapters.otlp.lock import CollectorLock
from adapters.otlp.receiver import Receiver
from adapters.otlp.redaction import DEFAULTS, Rule, read_rules
from adapters.otlp.retention import Retention
from console.config.secrets import Secrets, check_reference
from console.domain.durations import parse_duration
from console.domain.errors import ConfigError
from console.places import private_dir, spans_path

log = logging.getLogger(__name__)

EXIT_OK, EXIT_ERROR, EXIT_CONFIG = 0, 1, 78
READY = "receives spans on"
"""The words of the line on standard output that says it listens; the address follows."""

_UNITS = {"": 1, "B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a collector is told."""

    host: str
    port: int
    """0 takes one that is free."""
    file: Path | None
    """None is the place that the adapter `otlp` looks at too."""
    token: str
    """A reference to the bearer token; needed where others than this machine can send."""
    retention: Retention
    bounds: Bounds
    aliases: Aliases
    rules: tuple[Rule, ...]
    """What must not be kept."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Collect until a signal says to end, and write what is waiting before ending.

    Returns:
        The exit code: 0 ended in order, 1 could not start or failed, 78 it was told something that cannot be.
    """
    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("aiohttp.server").addFilter(_without_strangers)
    try:
        asyncio.run(_collect(settings_of(arguments)))
    except ConfigError as error:
        return _sorry(str(error), EXIT_CONFIG)
    except (OSError, sqlite3.Error) as error:
        return _sorry(f"cannot collect: {error}", EXIT_ERROR)
    return EXIT_OK


def settings_of(arguments: Sequence[str] | None) -> Settings:
    """Read a command line.

    Raises:
        ConfigError: a value cannot be.
        SystemExit: argparse has printed its usage.
    """
    options = _parser().parse_args(arguments)
    host, port = _address(options.listen)
    try:
        aliases = Aliases.of(_names(options.alias))
        keep_s = parse_duration(options.keep)
        if options.token:
            check_reference(options.token)
    except ValueError as error:
        raise ConfigError(str(error)) from None
    if not options.token and not _loopback(host):
        raise ConfigError(
            f"{host} can be reached from other machines: name a bearer token (--token env:NAME), or listen on 127.0.0.1"
        )
    return Settings(
        host=host,
        port=port,
        file=Path(options.file).absolute() if options.file else None,
        token=options.token,
        retention=Retention(keep_s, _size(options.max_size)),
        bounds=Bounds(_size(options.max_body), 4 * _size(options.max_body), _size(options.queue)),
        aliases=aliases,
        rules=(
            *(read_rules(Path(options.redact)) if options.redact else ()),
            *(DEFAULTS if options.redact_defaults else ()),
        ),
    )


async def _collect(settings: Settings) -> None:
    secrets = Secrets(log.warning)
    token = await asyncio.to_thread(secrets.resolve, settings.token) if settings.token else ""
    if settings.file is None:
        private_dir(spans_path().parent)
    path = settings.file or spans_path()
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    with CollectorLock(path):
        intake = Intake(
            path,
            settings.retention,
            time.time,
            aliases=settings.aliases,
            bounds=settings.bounds,
            rules=settings.rules,
        )
        intake.start()
        runner = Receiver(intake, lambda: token).runner()
        try:
            await runner.setup()
            await web.TCPSite(runner, settings.host, settings.port).start()
            host, port = runner.addresses[0][:2]
            shown = f"[{host}]" if ":" in host else host
            sys.stdout.write(f"{READY} http://{shown}:{port}/v1/traces and keeps them in {path}\n")
            sys.stdout.flush()
            await told.wait()
        finally:
            await runner.cleanup()  # stops listening, and waits for the bodies that are being answered
            intake.close()
            await asyncio.to_thread(intake.join)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="switchgear collect", description=__doc__.partition(": ")[2])
    parser.add_argument(
        "--listen", default="127.0.0.1:4318", metavar="HOST:PORT", help="where to receive (127.0.0.1:4318)"
    )
    parser.add_argument(
        "--file", metavar="PATH", help="where to keep spans; the adapter otlp has an option of this name"
    )
    parser.add_argument("--token", default="", metavar="REF", help="a reference to the bearer token that senders show")
    parser.add_argument("--keep", default="7d", metavar="TIME", help="how long requests are kept (7d)")
    parser.add_argument("--max-size", default="4GB", metavar="SIZE", help="how much may lie in the file (4GB)")
    parser.add_argument(
        "--max-body", default="16MB", metavar="SIZE", help="the longest body; four times that, unpacked"
    )
    parser.add_argument("--queue", default="64MB", metavar="SIZE", help="how much may wait to be written (64MB)")
    parser.add_argument(
        "--alias",
        action="append",
        default=[],
        metavar="FIELD=ATTRIBUTE",
        help="an attribute that says the conversation, model, snapshot …, before those that are known",
    )
    parser.add_argument(
        "--redact", metavar="FILE", help="rules (YAML) for what is not kept: attributes by name, texts by expression"
    )
    parser.add_argument(
        "--redact-defaults",
        action="store_true",
        help="keep no bearer tokens, API keys, passwords, e-mail addresses; attributes of such names go whole",
    )
    return parser


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"--listen {text}: write HOST:PORT, as in 127.0.0.1:4318")
    return host.strip("[]") or "127.0.0.1", int(port)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _size(text: str) -> int:
    """Bytes: `64MB`, `4GB`."""
    digits = text.strip().upper().rstrip("BKMGT")
    unit = _UNITS.get(text.strip().upper()[len(digits) :])
    if not digits.isdecimal() or unit is None or not int(digits):
        raise ConfigError(f"{text}: write a size such as 64MB or 4GB")
    return int(digits) * unit


def _names(pairs: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in pairs:
        field, equals, attribute = pair.partition("=")
        if not equals or not attribute:
            raise ValueError(f"--alias {pair}: write FIELD=ATTRIBUTE, as in conversation=chat.id")
        found.setdefault(field, []).append(attribute)
    return found


def _rules(file: str | None, *, defaults: bool) -> tuple[Rule, ...]:
    own = read_rules(Path(file)) if file else ()
    return (*own, *DEFAULTS) if defaults else own


def _without_strangers(record: logging.LogRecord) -> bool:
    """Whoever speaks no HTTP is answered with 400 and is no fault of ours: nothing for the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _sorry(words: str, code: int) -> int:
    sys.stderr.write(f"switchgear: {words}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
