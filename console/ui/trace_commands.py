"""The commands that work on a recorded request: its views, its playback, its conversation, its counterparts."""

from collections.abc import Callable, Sequence

from console.domain.refs import Kind, Ref
from console.domain.spans import LaneKind
from console.ui.command import Command
from console.ui.desk import Desk


def _request(desk: Desk) -> Ref | None:
    ref = desk.selected()
    return ref if ref is not None and ref.kind is Kind.REQUEST else None


def _no_request(desk: Desk) -> str:
    return desk.lost or ("" if _request(desk) else "select a request: they stand on the Requests screen")


def _no_views(desk: Desk) -> str:
    return "" if desk.has("views") else "open a request first, with Enter on the Requests screen"


def _view(name: str) -> Callable[[Desk, str], None]:
    def show(desk: Desk, _: str) -> None:
        ref = _request(desk)
        if ref is not None:
            desk.look_into(ref, name)

    return show


def _no_conversation(desk: Desk) -> str:
    if desk.lost or desk.conversation() is not None:
        return desk.lost
    if _request(desk) is not None:
        return "its spans name no conversation"
    return "select a request: no conversation is known to have two answers"


def _converse(desk: Desk, _: str) -> None:
    ref = desk.conversation()
    if ref is not None:
        desk.converse(ref)


def _compare(desk: Desk, _: str) -> None:
    ref = _request(desk)
    if ref is not None:
        desk.compare(ref, None)


def _mark(desk: Desk, _: str) -> None:
    ref = _request(desk)
    if ref is not None:
        desk.mark(ref)


def _not_marked(desk: Desk) -> str:
    ref, marked = _request(desk), desk.marked
    if ref is None:
        return _no_request(desk)
    if marked is None:
        return "mark the other request first (mark)"
    if marked == ref:
        return "this is the marked one: go to another request"
    same = marked.source == ref.source
    return desk.lost or ("" if same else "the marked one is in another store")


def _compare_marked(desk: Desk, _: str) -> None:
    ref = _request(desk)
    if ref is not None:
        desk.compare(ref, desk.marked)


def _reissue(desk: Desk, _: str) -> None:
    ref = _request(desk)
    if ref is not None:
        desk.reissue(ref)


def _lane(desk: Desk, words: str) -> None:
    if words:
        desk.find_lane(words)
    else:
        desk.ask("lane ")


def _lanes(_: Desk) -> Sequence[str]:
    return [f"{kind}=" for kind in LaneKind]


TRACE_COMMANDS: tuple[Command, ...] = (
    Command(
        "stages",
        "Stages",
        "Show the request as its seven stages; Enter unfolds what was said in one.",
        _view("stages"),
        "i",
        why_not=_no_views,
        group="Requests",
        bar=True,
    ),
    Command(
        "tree",
        "Tree",
        "Show the request's spans as a tree on a time axis, with the critical path marked.",
        _view("tree"),
        "e",
        why_not=_no_views,
        group="Requests",
        bar=True,
    ),
    Command(
        "lanes",
        "Lanes",
        "Show the request's lanes (prompts, snapshots, tokens …); Enter on a value finds the requests with the same.",
        _view("lanes"),
        "l",
        why_not=_no_request,
        group="Requests",
        bar=True,
    ),
    Command(
        "lane",
        "Lane",
        "Show only the requests in one of whose lanes this stands, as in prompts=chat@3 or tokens=gpt-5>=2000.",
        _lane,
        argument="LANE=VALUE",
        why_not=lambda desk: desk.lost,
        choices=_lanes,
        group="Requests",
    ),
    Command(
        "next",
        "Play",
        "Play the request back, or show its next recorded step. Nothing is called.",
        lambda desk, _: desk.step(1),
        "n",
        why_not=_no_views,
        group="Requests",
        bar=True,
    ),
    Command(
        "previous",
        "Step back",
        "Show the previous recorded step of the playback.",
        lambda desk, _: desk.step(-1),
        "b",
        why_not=_no_views,
        group="Requests",
    ),
    Command(
        "compare",
        "Compare",
        "Show how the request under the cursor differs from the last good one like it.",
        _compare,
        "equals_sign",
        why_not=_no_request,
        group="Requests",
        bar=True,
    ),
    Command(
        "conversation",
        "Conversation",
        "Show the conversation of the request under the cursor, otherwise the newest whose services disagree.",
        _converse,
        "h",
        why_not=_no_conversation,
        group="Requests",
        bar=True,
    ),
    Command(
        "mark",
        "Mark",
        "Mark the request under the cursor, to compare another one with it; again takes the mark away.",
        _mark,
        "m",
        why_not=_no_request,
        group="Requests",
        bar=True,
    ),
    Command(
        "compare-marked",
        "vs marked",
        "Show how the request under the cursor differs from the marked one.",
        _compare_marked,
        "x",
        why_not=_not_marked,
        group="Requests",
        bar=True,
    ),
    Command(
        "reissue",
        "Send again",
        "Send the request's model call (in the tree, the one under the cursor) once more, to a deployment of choice.",
        _reissue,
        "y",
        why_not=_no_request,
        group="Requests",
        bar=True,
    ),
)
"""In the order of the help."""
