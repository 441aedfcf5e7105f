"""Requests in a file: exported from one environment, opened by another console that reaches none of its backends."""

import gzip
import io
import zlib
from enum import StrEnum

import msgspec

from console.domain.conversations import Mark
from console.domain.errors import ConfigError
from console.domain.spans import Trace

FORMAT = 1
"""Raised when an older program could misread a newer file."""
MOST_BYTES = 256 * 2**20
"""Of a file, unpacked: more is no bundle that this program has written."""


class Shown(StrEnum):
    """How much of what applications said is in a bundle."""

    STRUCTURE = "structure"
    """None of their words: names, times, counts and ids, and how long each text was."""
    MASKED = "masked"
    """Their words, but for what looks like a credential."""
    RAW = "raw"
    """Everything, as it was recorded."""


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the file."""

    switchgear_bundle: int = FORMAT
    exported_at: float
    """Unix seconds."""
    version: str
    """Of the program that wrote it."""
    environment: str
    source: str
    shown: Shown
    conversation: str = ""
    """Whose requests these are; empty for a single request."""
    traces: tuple[Trace, ...] = ()
    """Newest first."""
    marks: tuple[Mark, ...] = ()
    notes: tuple[str, ...] = ()
    """What was left out, and why."""


class BundleQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for one request, or for one conversation, as a bundle."""

    source: str
    trace_id: str = ""
    conversation: str = ""
    shown: Shown = Shown.STRUCTURE


class _Head(msgspec.Struct):
    switchgear_bundle: int | None = None
    version: str = "a newer one"


def encode(bundle: Bundle) -> bytes:
    """The file: gzip around JSON, so that `zcat` shows it."""
    return gzip.compress(msgspec.json.encode(bundle), mtime=0)


def decode(data: bytes, where: str) -> Bundle:
    """Read a file, packed or plain.

    Raises:
        ConfigError: it is no bundle, is broken or cut, is too large, or was written by a newer program.
    """
    plain = _unpacked(data, where) if data[:2] == b"\x1f\x8b" else data
    try:
        head = msgspec.json.decode(plain, type=_Head)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise ConfigError(f"{where} is no bundle; `switchgear bundle` writes one") from None
    if head.switchgear_bundle is None:
        raise ConfigError(f"{where} is no bundle: it has no `switchgear_bundle`; `switchgear bundle` writes one")
    if head.switchgear_bundle > FORMAT:
        raise ConfigError(f"{where} was written by switchgear {head.version}, which is newer: update switchgear")
    try:
        return msgspec.json.decode(plain, type=Bundle)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ConfigError(f"{where} is a broken bundle: {error}; ask for it again") from None


def _unpacked(data: bytes, where: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            plain = packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise ConfigError(f"{where} is a broken bundle: it cannot be unpacked; was it cut on its way?") from None
    if len(plain) > MOST_BYTES:
        raise ConfigError(f"{where} has more than {MOST_BYTES >> 20} MB: that is no bundle of ours")
    return plain
