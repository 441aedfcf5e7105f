"""How conditions that were found in counted answers are named: the object to open, and the words for it."""

from datetime import UTC, datetime

from console.domain.answers import Group
from console.domain.board import Board
from console.domain.readings import Deployment, Provider
from console.domain.refs import Kind, Ref
from console.domain.text import clean


def object_of(board: Board, source: str, about: Group, service: str) -> Ref:
    """The object that a condition is on.

    The gateway's deployment, if the ill calls share one that is on the board; their provider, if they share only that;
    otherwise the service as the trace source shows it.

    Args:
        board: what is seen.
        source: the trace source that counted.
        about: what the ill calls have in common.
        service: the service with most of them, for when they have none in common.
    """
    if about.deployment:
        for deployment in board.of(Deployment):
            if deployment.ref.name == about.deployment:
                return deployment.ref
    elif about.provider:
        for provider in board.of(Provider):
            if provider.ref.name == about.provider:
                return provider.ref
    return Ref(source, Kind.SERVICE, about.service or service or "all")


def called(about: Group) -> str:
    """The ill calls in a few words: `azure/gpt-5 for tenant acme`; clean."""
    model = about.model or about.response_model
    who = about.deployment or "/".join(part for part in (about.provider, model) if part)
    words = [who] if who else []
    for name, value in (
        ("route", about.route if not about.deployment else ""),
        ("region", about.region),
        ("service", about.service),
        ("tenant", about.tenant),
        ("prompt", about.prompt),
    ):
        if value:
            words.append(f"{name} {value}")
    return clean(", ".join(words), 160) or "all calls"


def percent(part: float) -> str:
    """A part of a whole, to be read: `8.1 %`, `0.05 %`."""
    return f"{100.0 * part:.3g} %" if part < 0.1 else f"{100.0 * part:.0f} %"


def clock_time(at: float) -> str:
    """A moment of the last day, to be read: `14:32 UTC`."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC")
