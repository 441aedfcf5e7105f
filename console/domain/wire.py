"""What travels through the engine's socket, in both directions, and how it is written.

One stream of events goes out: a `Snapshot`, then `Change`s, with a `Heartbeat` when nothing else was sent for
a while. Everything else is a question with one answer. All of it is JSON of the domain's own types.
"""

from enum import StrEnum
from typing import TypeVar

import msgspec

from console.domain.actions import Override, Receipt
from console.domain.alerts import Alert
from console.domain.incidents import Incident
from console.domain.readings import AnyReading
from console.domain.refs import Ref
from console.domain.runbooks import Offer, Run

PROTOCOL = 5
"""Raised whenever an older console could misread a newer engine, or the other way round."""

PROTOCOL_HEADER = "Switchgear-Protocol"
"""HTTP header in which each side says its `PROTOCOL`."""

VERSION_HEADER = "Switchgear-Version"
"""HTTP header in which each side says its version."""

HEARTBEAT_S = 2.0
"""The engine sends something at least this often; a console that hears nothing for three of these says so."""


class AccessLevel(StrEnum):
    """What an operator may do on this engine, now."""

    NONE = "none"
    READ_ONLY = "read-only"
    OPERATE = "operate"


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking, as the kernel says, and what they may do."""

    operator: str
    """The account's name, from the socket's peer credentials."""
    uid: int
    level: AccessLevel
    until: float | None = None
    """Unix seconds when `operate` falls back to read-only; None when it does not."""
    reason: str = ""
    may_operate: bool = False
    """Whether `operate` can be asked for."""
    why_not: str = ""


class AccessRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for `operate` for a while, or give it back."""

    level: AccessLevel
    reason: str = ""
    minutes: float = 30.0


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's first words to anyone."""

    protocol: int
    version: str
    environment: str
    pid: int
    started_at: float
    access: Access
    config_path: str = ""
    default_ttl_s: float = 1800.0
    max_ttl_s: float = 14400.0


class LogKind(StrEnum):
    """What a line of the timeline is about."""

    ACTION = "action"
    OVERRIDE = "override"
    ALERT = "alert"
    SOURCE = "source"
    ACCESS = "access"
    ENGINE = "engine"
    RUNBOOK = "runbook"


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the timeline: what happened, when, to what, by whom."""

    id: int
    """Rises by one; unique within an engine's journal."""
    at: float
    kind: LogKind
    words: str
    ref: Ref | None = None
    operator: str = ""
    outcome: str = ""


STOPPED = "stopped"
"""`LogEntry.outcome` of the line with which an engine that was told to end says so: nobody starts it again unasked."""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, tag="snapshot"):
    """Everything that a screen needs to start: the whole board at `seq`."""

    seq: int
    at: float
    """The engine's clock, unix seconds: ages are counted from this, never from the console's clock."""
    environment: str
    readings: tuple[AnyReading, ...]
    alerts: tuple[Alert, ...] = ()
    """Pending and firing ones, and those that were resolved within the last quarter of an hour."""
    incidents: tuple[Incident, ...] = ()
    """Likewise."""
    overrides: tuple[Override, ...] = ()
    """Those that have not ended."""
    receipts: tuple[Receipt, ...] = ()
    """The latest, oldest first."""
    log: tuple[LogEntry, ...] = ()
    """The latest, oldest first."""
    access: tuple[Access, ...] = ()
    """Every operator who holds `operate` now."""
    runs: tuple[Run, ...] = ()
    """Runbooks that are followed, and those that ended within the last hour; oldest first."""
    offers: tuple[Offer, ...] = ()
    """Runbooks that fit what is wrong now, the best first."""


class Change(msgspec.Struct, frozen=True, kw_only=True, tag="change"):
    """What has become different since the event before; several changes may have been merged into one."""

    seq: int
    at: float
    readings: tuple[AnyReading, ...] = ()
    """New or different readings (a newer `observed_at` alone is no difference)."""
    removed: tuple[Ref, ...] = ()
    observed: dict[str, float] = {}
    """Source name → unix seconds: its readings that did not change were seen again at this time."""
    alerts: tuple[Alert, ...] = ()
    incidents: tuple[Incident, ...] = ()
    overrides: tuple[Override, ...] = ()
    """Changed ones; one whose state is `ended` leaves the board."""
    receipts: tuple[Receipt, ...] = ()
    log: tuple[LogEntry, ...] = ()
    access: tuple[Access, ...] | None = None
    """The whole new list, or None when it is unchanged."""
    runs: tuple[Run, ...] = ()
    offers: tuple[Offer, ...] | None = None
    """The whole new list, or None when it is unchanged."""

    def merge(self, later: "Change") -> "Change":
        """Both changes as one, the later one winning: this is how a slow reader is coalesced.

        It makes the same board as the two one after the other. An object that left and came back is both removed
        and among the readings: removals come first.
        """
        gone = set(later.removed)
        readings = {reading.ref: reading for reading in self.readings if reading.ref not in gone}
        readings.update((reading.ref, reading) for reading in later.readings)
        newer = {receipt.id for receipt in later.receipts}
        return Change(
            seq=later.seq,
            at=later.at,
            readings=tuple(readings.values()),
            removed=tuple(dict.fromkeys(self.removed + later.removed)),
            observed={**self.observed, **later.observed},
            alerts=tuple({alert.id: alert for alert in self.alerts + later.alerts}.values()),
            incidents=tuple({one.id: one for one in self.incidents + later.incidents}.values()),
            overrides=tuple({item.id: item for item in self.overrides + later.overrides}.values()),
            receipts=tuple(item for item in self.receipts if item.id not in newer) + later.receipts,
            log=(self.log + later.log)[-LOG_KEPT:],
            access=self.access if later.access is None else later.access,
            runs=tuple({run.id: run for run in self.runs + later.runs}.values()),
            offers=self.offers if later.offers is None else later.offers,
        )


LOG_KEPT = 200
"""Timeline lines in a snapshot, and the most that one merged change carries."""


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag="heartbeat"):
    """The engine is alive and nothing changed; `observed` still says what was looked at."""

    seq: int
    at: float
    observed: dict[str, float] = {}


Event = Snapshot | Change | Heartbeat
"""One line of the event stream (JSON field `type`)."""


class Confirm(msgspec.Struct, frozen=True, kw_only=True):
    """Yes to a proposal."""

    proposal_id: str
    typed_name: str = ""


class AlertMark(msgspec.Struct, frozen=True, kw_only=True):
    """Acknowledge an alert, or silence it for a while (`silence_s` 0 acknowledges only)."""

    alert_id: str
    """An alert's id, or an incident's: then all of its alerts that are not over are meant."""
    silence_s: float = 0.0


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the past of one object."""

    ref: Ref
    window_s: float = 3600.0
    points: int = 120


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The past of one object: per metric the mean of each of `points` equal slots, None where nothing was seen."""

    ref: Ref
    start: float
    step_s: float
    series: dict[str, tuple[float | None, ...]]


class Focus(msgspec.Struct, frozen=True, kw_only=True):
    """What a console shows in detail now; a source that cannot afford all details for all objects reads these."""

    refs: tuple[Ref, ...] = ()
    """At most `FOCUS_MOST`; it holds for `FOCUS_S` unless it is sent again."""


FOCUS_MOST = 100
FOCUS_S = 30.0


class LogQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a page of the timeline, newest first."""

    before_id: int | None = None
    limit: int = 100
    ref: Ref | None = None


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the audit log, which only grows; `hash` covers the row and the hash before it."""

    seq: int
    at: float
    operator: str
    action_id: str
    event: str
    """`intent`, `confirmed`, `step-begun`, `step-done`, `proof`, `receipt`, `override`, `access` …"""
    body: str
    """JSON, as it was hashed."""
    previous: str
    hash: str


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for a page of the audit log, newest first."""

    before_seq: int | None = None
    limit: int = 100
    action_id: str = ""


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the chain of hashes holds, and where it first does not."""

    rows: int
    holds: bool
    broken_at: int | None = None
    words: str = ""


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of `switchgear check`: what was tried on which source, and what came of it."""

    source: str
    replica: str
    what: str
    """`reachable`, `read deployments`, `trip`, `redis` …"""
    ok: bool | None
    """None when it does not apply here."""
    words: str


class ReconcileReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine found in its journal and did about it: one receipt for each action that had been left open."""

    receipts: tuple[Receipt, ...]
    overrides: tuple[Override, ...]
    words: tuple[str, ...]


class StopRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Ask the engine to end."""

    reason: str = ""
    force: bool = False
    """Also while it holds what it has to bring to its end, or follows a runbook: the next start takes that up."""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """The body of every answer that is not 2xx: what is wrong and the way out."""

    error: str
    way_out: str = ""


T = TypeVar("T")

_encoder = msgspec.json.Encoder()


def encode(value: object) -> bytes:
    """A domain value as JSON, in one line without line feeds."""
    return _encoder.encode(value)


def decode(data: bytes | str, kind: type[T]) -> T:
    """JSON as a domain value.

    Raises:
        msgspec.ValidationError: the JSON is not of that shape; its text names the field.
        msgspec.DecodeError: it is not JSON.
    """
    return msgspec.json.decode(data, type=kind)
