"""How an object is: in words, as the screens judge it; how old what is known is; whose hand is on it."""

from console.domain.actions import Stage
from console.domain.freshness import Freshness
from console.domain.health import Health, Level, columns
from console.domain.readings import Route, Source
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb
from runbooks.functions.catalogue import Value, function
from runbooks.looking import Look, Unsaid

GROUP = "state"
ANY = (
    Kind.DEPLOYMENT, Kind.ROUTE, Kind.PROVIDER, Kind.QUEUE, Kind.SERVICE, Kind.SOURCE, Kind.SPEND,
)  # fmt: skip
WORDS = "`ok`, `notice` (somebody meant it), `warn`, `bad`"


def _word(health: Health) -> str:
    if health.level is Level.STALE:
        raise Unsaid(health.why or health.word)
    if health.word == "not seen":
        raise Unsaid(health.why)
    return health.level.name.lower()


@function(
    "healthy(x)",
    "bool",
    "Whether nothing is wrong with it, alerts included; an override that somebody meant is not wrong.",
    GROUP,
)
def healthy(look: Look, x: object) -> Value:
    """The worst of all judgements."""
    judged = columns(look.board, look.reading(x, ANY))
    found = max(judged, key=lambda one: one.level)
    unseen = next((one for one in judged if one.level is Level.STALE), None)
    if unseen is not None and found.level <= Level.STALE:
        raise Unsaid(unseen.why or unseen.word)
    return found.level <= Level.NOTICE


@function("transport(x)", "word", f"Whether requests get through, and how fast: {WORDS}.", GROUP)
def transport(look: Look, x: object) -> Value:
    """The transport column."""
    return _word(columns(look.board, look.reading(x, ANY)).transport)


@function("answers(x)", "word", f"Whether what comes back is right: {WORDS}; cannot be said where nobody tells.", GROUP)
def answers(look: Look, x: object) -> Value:
    """The answers column."""
    return _word(columns(look.board, look.reading(x, ANY)).answers)


@function("cost(x)", "word", f"Whether what it costs is as it should be: {WORDS}.", GROUP)
def cost(look: Look, x: object) -> Value:
    """The cost column."""
    return _word(columns(look.board, look.reading(x, ANY)).cost)


@function("data_age(x)", "s", "Since a source, or the source of an object, was last seen well.", GROUP)
def data_age(look: Look, x: object) -> Value:
    """Age of what is known."""
    ref = look.ref(x, (Kind.SOURCE, *ANY[:-2]))
    source = look.board.source(ref.source)
    seen = look.board.observed_at(ref) if ref.kind is not Kind.SOURCE else _last_ok(source, look)
    if seen is None:
        raise Unsaid("it was never seen")
    return max(0.0, look.scope.now - seen)


def _last_ok(source: Source | None, look: Look) -> float | None:
    if source is None or source.last_ok_at is None:
        return None
    return max(source.last_ok_at, look.board.observed.get(source.ref.name, 0.0))


@function("fresh(x)", "bool", "Whether a source, or the source of an object, may be believed.", GROUP)
def fresh(look: Look, x: object) -> Value:
    """Freshness."""
    ref = look.ref(x, (Kind.SOURCE, *ANY[:-2]))
    source = look.board.source(ref.source)
    if source is None:
        raise Unsaid("nothing is known of its source")
    return source.freshness is Freshness.FRESH


@function("replicas_down(source)", "", "Replicas of a source that do not answer.", GROUP)
def replicas_down(look: Look, source: object) -> Value:
    """Replicas down."""
    found = look.board.readings[look.ref(source, (Kind.SOURCE,))]
    if not isinstance(found, Source) or not found.replicas:
        raise Unsaid("its replicas are not told")
    return float(sum(not one.up for one in found.replicas))


@function("exists(x)", "bool", "Whether something of that name is on the board; `KIND/NAME` asks for one kind.", GROUP)
def exists(look: Look, x: object) -> Value:
    """Whether it is known."""
    from runbooks.looking import refs_named

    return bool(refs_named(look.board, x, ANY))


@function(
    "overridden(x[, verb])",
    "bool",
    "Whether an operator's hand is on it (by that verb: `trip`, `weight`, `pause` …).",
    GROUP,
)
def overridden(look: Look, x: object, verb: object = "") -> Value:
    """Whether an override is held."""
    ref = look.ref(x, (Kind.DEPLOYMENT, Kind.ROUTE, Kind.QUEUE))
    return any(verb in ("", one.action.verb) for one in look.board.overrides_of(ref))


@function(
    "able(x, verb[, to])",
    "bool",
    "Whether a verb can be done to it (`trip`, `weight`, `switch`, `pause` …), as its source says now; of a `switch`, "
    "whether it can go there.",
    GROUP,
)
def able(look: Look, x: object, verb: object, to: object = None) -> Value:
    """What its source says that can be done."""
    meant = next((one for one in Verb if one == verb), None)
    if meant is None:
        raise Unsaid(f"a verb is one of {', '.join(Verb)}")
    found = look.reading(x, (Kind.DEPLOYMENT, Kind.ROUTE, Kind.QUEUE))
    there = not isinstance(found, Route) or to is None or any(one.to == to for one in found.switch_options)
    return found.ability(meant).able and there


@function("acted_on(x)", "bool", "Whether an action on it is under way.", GROUP)
def acted_on(look: Look, x: object) -> Value:
    """Whether an action is under way."""
    ref: Ref = look.ref(x, (Kind.DEPLOYMENT, Kind.ROUTE, Kind.QUEUE))
    going = (one for one in look.board.receipts.values() if one.stage is not Stage.DONE)
    return any(one.intent.target == ref for one in going)
