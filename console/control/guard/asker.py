"""Checks of who asks, and of how."""

import math

from console.control.guard.case import PASS, REFUSE, WARN, Case
from console.domain.actions import (
    Check,
    ExpiryHome,
    Isolate,
    OnExpiry,
    Park,
)
from console.domain.readings import Deployment
from console.domain.refs import Kind
from console.domain.wire import AccessLevel


def access(case: Case) -> Check:
    """Only an operator in `operate` changes anything."""
    if case.access.level is AccessLevel.OPERATE:
        return Check("access", PASS, f"{case.access.operator} may operate")
    way_out = case.access.why_not or "ask for operate first, with a reason"
    return Check("access", REFUSE, f"read-only: {way_out}")


def reason(case: Case) -> Check:
    """The audit log has to say why."""
    if case.intent.reason.strip():
        return Check("reason", PASS, case.intent.reason)
    return Check("reason", REFUSE, "a reason is required: whoever comes next has to know why")


def time_to_live(case: Case) -> Check:
    """An override ends by itself, within the environment's policy."""
    ttl, most = case.intent.ttl_s, case.config.overrides.max_ttl
    if isinstance(case.intent.action, Park | Isolate):
        held = "what is set aside is held until somebody replays it"
        return Check("expiry", PASS, held) if ttl is None else Check("expiry", WARN, f"{held}, not for a time")
    if ttl is None:
        return Check("expiry", PASS, "leaves nothing behind")
    if not math.isfinite(ttl) or ttl <= 0:
        return Check("expiry", REFUSE, "the time to live has to be more than 0 seconds")
    if ttl > most:
        return Check(
            "expiry", REFUSE, f"{ttl / 60:.0f} min is longer than this environment allows ({most / 60:.0f} min)"
        )
    if case.target.kind is Kind.QUEUE and case.intent.on_expiry is OnExpiry.PROBE:
        return Check("expiry", REFUSE, "a queue cannot be probed: everything is put back, or held")
    home = case.plan.expiry_home if case.plan else ExpiryHome.ENGINE
    if home is ExpiryHome.BACKEND and case.intent.on_expiry is not OnExpiry.REVERT and not _probes(case):
        return Check("expiry", REFUSE, f"the backend ends this by itself: {case.intent.on_expiry} cannot be had")
    if case.intent.on_expiry is OnExpiry.HOLD:
        return Check("expiry", WARN, "it stays after its time, until somebody restores it")
    where = "by the backend itself" if home is ExpiryHome.BACKEND else "by this engine"
    return Check("expiry", PASS, f"ends in {ttl / 60:.0f} min, {where}")


def _probes(case: Case) -> bool:
    """Whether a probe is wanted, and is what the backend does by itself when the time is over."""
    reading = case.board.readings.get(case.target)
    wanted = case.intent.on_expiry is OnExpiry.PROBE
    return wanted and isinstance(reading, Deployment) and "probe" in reading.circuit.releases
