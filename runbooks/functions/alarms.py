"""Alerts and incidents."""

from fnmatch import fnmatchcase

from console.domain.alerts import Alert, AlertState
from console.domain.freshness import Freshness
from console.domain.incidents import Blame, Dimension
from console.domain.readings import Deployment, Provider, Route
from console.domain.refs import Kind
from console.domain.text import clean
from runbooks.functions.catalogue import Value, function
from runbooks.functions.names import busiest, serving
from runbooks.looking import Look, Unsaid

GROUP = "alerts and incidents"
RULE_MOST = 120


def _firing(look: Look, rule: object, x: object) -> list[Alert]:
    if not isinstance(rule, str) or not rule or len(rule) > RULE_MOST or rule.count("*") > 3:
        raise Unsaid("a rule is a text, with at most three * for any part: `latency`, `finish/*`")
    look.work(10)
    found = [one for one in look.board.alerts.values() if one.state is AlertState.FIRING and fits(rule, one.rule)]
    if x is None:
        if not found:
            _over_and_not_unseen(look, rule)
        return found
    named = [one for one in found if x in (one.ref.name, str(one.ref), f"{one.ref.kind}/{one.ref.name}")]
    if not named:
        _could_fire(look, x)
    for one in named:
        if one.ref.kind is not Kind.SOURCE and one.ref in look.board.readings:
            look.fresh(one.ref)
    return named


def _over_and_not_unseen(look: Look, rule: str) -> None:
    """An alert that ended, or has not begun, while nobody sees its object is not over."""
    for one in look.board.alerts.values():
        source = look.board.source(one.ref.source)
        unseen = source is not None and source.freshness is not Freshness.FRESH and one.ref.kind is not Kind.SOURCE
        if unseen and fits(rule, one.rule):
            raise Unsaid(f"{clean(one.ref.source)} told of it and cannot be seen now")


def fits(rule: str, told: str) -> bool:
    """Whether an alert's rule is meant: `latency` is `latency` and `latency/…` too, `*` is any part."""
    plain = rule if any(sign in rule for sign in "*?[") else ""
    return fnmatchcase(told, rule) if plain else rule == told or told.startswith(f"{rule}/")


def _could_fire(look: Look, x: object) -> None:
    """Let pass what can be judged: no alert of a stale object says nothing."""
    kinds = [kind for kind in Kind if kind not in (Kind.KEY, Kind.CONVERSATION, Kind.REQUEST, Kind.REPLICA)]
    ref = look.ref(x, kinds)
    if ref.kind is not Kind.SOURCE:
        look.fresh(ref)


@function(
    "firing(rule[, x])",
    "bool",
    "Whether an alert of that rule fires (for that object): `latency`, `finish/*`, `*`; cannot be said while the "
    "source that told of it is stale.",
    GROUP,
)
def firing(look: Look, rule: object, x: object = None) -> Value:
    """Whether an alert fires."""
    return bool(_firing(look, rule, x))


@function(
    "firing_for(rule[, x])", "s", "How long such an alert has been firing, the oldest one; 0 when none does.", GROUP
)
def firing_for(look: Look, rule: object, x: object = None) -> Value:
    """Seconds since it began to fire."""
    return max((look.scope.now - one.since for one in _firing(look, rule, x)), default=0.0)


def _blame(look: Look) -> Blame | None:
    if look.scope.incident is None:
        raise Unsaid("it was not begun from an incident that is still on the board")
    return look.scope.incident.blame


@function(
    "culprit([kind])", "name",
    "The likeliest culprit of the incident, or none; with a kind (`provider`, `deployment`, `route`, `model`, "
    "`service`, `queue` …) only one of that kind: a deployment's provider and route count, and a provider's or model's "
    "busiest deployment.", GROUP,
)  # fmt: skip
def culprit(look: Look, kind: object = "") -> Value:
    """Who is to blame."""
    blame = _blame(look)
    if blame is None:
        return None
    if kind in ("", str(blame.dimension)):
        return look.name(blame.ref) if blame.ref is not None else blame.name
    return _of_kind(look, blame, str(kind))


def _of_kind(look: Look, blame: Blame, kind: str) -> str | None:
    found = look.board.readings.get(blame.ref) if blame.ref is not None else None
    if isinstance(found, Deployment):
        named = {"provider": found.provider, "model": found.model, "region": found.region}
        return next(iter(found.routes), None) if kind == "route" else named.get(kind)
    if kind == Dimension.DEPLOYMENT:
        members = _members(look, blame, found)
        best = busiest(members)
        return None if best is None else look.name(best.ref)
    return None


def _members(look: Look, blame: Blame, found: object) -> list[Deployment]:
    if isinstance(found, Provider | Route):
        return serving(look, found)
    of_model = {Dimension.MODEL: "model", Dimension.REGION: "region", Dimension.PROVIDER: "provider"}
    field = of_model.get(blame.dimension)
    return [one for one in look.of(Deployment) if field and getattr(one, field) == blame.name]


@function(
    "culprit_kind()",
    "word",
    "What the likeliest culprit is: `provider`, `model`, `deployment` …; none while nothing points anywhere.",
    GROUP,
)
def culprit_kind(look: Look) -> Value:
    """The culprit's dimension."""
    blame = _blame(look)
    return None if blame is None else str(blame.dimension)
