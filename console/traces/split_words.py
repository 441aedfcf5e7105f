"""Disagreements in a sentence, with names and times. Every name in it is the application's own, made safe to show."""

from datetime import datetime

from console.domain.conversations import Mark
from console.domain.text import clean


def snapshots(first: Mark, against: Mark) -> str:
    """Two services answered from different snapshots."""
    return (
        f"{_talk(first)}: {_name(first.service)} answered from {_name(first.version)}{_of(first.source)} at "
        f"{_time(first)}, {_name(against.service)} from {_name(against.version)} at {_time(against)}"
        f"{', in one request' if first.trace_id == against.trace_id else ''}"
    )


def lost(first: Mark, write: Mark) -> str:
    """A write was not there afterwards."""
    return (
        f"{_talk(first)}: {_name(write.service)} wrote {_key(first)}@{_name(write.version)} at {_time(write)}, and at "
        f"{_time(first)} {_name(first.service)} {_did(first)} {_name(first.version)}: the write is lost"
    )


def collided(first: Mark, other: Mark) -> str:
    """Two writes made the same version."""
    return (
        f"{_talk(first)}: {_name(other.service)} at {_time(other)} and {_name(first.service)} at {_time(first)} both "
        f"wrote {_key(first)}@{_name(first.version)}: one of the writes is lost"
    )


def foreign(first: Mark, write: Mark) -> str:
    """Another conversation wrote in between."""
    return (
        f"{_talk(first)}: {_key(first)}@{_name(write.version)} was written at {_time(write)} by "
        f"{_name(write.service)} for {_name(write.conversation)}, and {_name(first.service)} {_did(first)} "
        f"{_name(first.version)} at {_time(first)}"
    )


def jumped(first: Mark, before: Mark, missing: int) -> str:
    """A version was written that no span tells of."""
    return (
        f"{_talk(first)}: {_key(first)} was {_name(before.version)} at {_time(before)}, and at {_time(first)} "
        f"{_name(first.service)} {_did(first)} {_name(first.version)}: no recorded span wrote {missing}"
    )


def _talk(mark: Mark) -> str:
    return f"conversation {_name(mark.conversation)}" if mark.conversation else f"request {_name(mark.trace_id)[:8]}"


def _key(mark: Mark) -> str:
    return f"memory {_name(mark.key)}" + (f" of {_name(mark.source)}" if mark.source else "")


def _of(source: str) -> str:
    return f" of {_name(source)}" if source else ""


def _did(mark: Mark) -> str:
    return "wrote" if mark.op in ("create", "update", "upsert") else "found"


def _name(text: str) -> str:
    return clean(text, 48) or "somebody"


def _time(mark: Mark) -> str:
    try:
        return f"{datetime.fromtimestamp(mark.at).astimezone():%H:%M:%S}"
    except (OverflowError, OSError, ValueError):
        return "an impossible time"
