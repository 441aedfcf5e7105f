"""Open a file that `switchgear bundle` wrote: its requests on the screen, and none of the backends they came from."""

import argparse
import hashlib
import os
from pathlib import Path

from console.cli.screen import show
from console.domain.bundles import MOST_BYTES, decode
from console.domain.errors import ConfigError
from console.places import OPENED, opened_path, private_dir


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="what `switchgear bundle` wrote")


def run(options: argparse.Namespace) -> int:
    """Show the file until the screen is left. The engine reads a copy, so that the file may be moved meanwhile."""
    data = _read(options.file)
    decode(data, str(options.file))
    environment = f"{OPENED}-{hashlib.sha256(data).hexdigest()[:12]}"
    copy = opened_path(environment)
    private_dir(copy.parent)
    with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
    try:
        return show(environment, first="requests")
    finally:
        copy.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
