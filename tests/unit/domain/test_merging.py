"""A reader who is slow gets several changes as one; the board that this makes is the one that each would have made."""

import copy
from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from console.domain.actions import OverrideState
from console.domain.alerts import AlertState
from console.domain.arrival import EventReader
from console.domain.board import RECEIPTS_KEPT, Board
from console.domain.wire import (
    LOG_KEPT,
    Access,
    AccessLevel,
    Change,
    LogEntry,
    LogKind,
    Snapshot,
    encode,
)
from tests.unit.domain.things import alert, deployment, override, receipt, ref, source

NAMES = st.sampled_from("abcdef")


def _access(level: AccessLevel) -> tuple[Access, ...]:
    return (Access(operator="ann", uid=1, level=level),)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """One change as the store could put it: a reference is not both new and removed."""
    readings = draw(st.dictionaries(NAMES, st.floats(0, 9), max_size=4))
    removed = draw(st.sets(NAMES, max_size=3)) - readings.keys()
    alerts = draw(st.dictionaries(NAMES, st.tuples(st.sampled_from(AlertState), st.floats(0, 4000)), max_size=3))
    overrides = draw(st.dictionaries(st.integers(0, 4), st.sampled_from(OverrideState), max_size=3))
    receipts = draw(st.lists(st.integers(0, RECEIPTS_KEPT + 5), max_size=6, unique=True))
    lines = draw(st.lists(st.integers(0, 9), max_size=4))
    return Change(
        seq=0,
        at=0.0,
        readings=tuple(deployment(name, weight=weight) for name, weight in readings.items()),
        removed=tuple(ref(name) for name in sorted(removed)),
        observed=draw(st.dictionaries(NAMES, st.floats(0, 9), max_size=2)),
        alerts=tuple(alert(rule, state, since) for rule, (state, since) in alerts.items()),
        overrides=tuple(override(number, state) for number, state in overrides.items()),
        receipts=tuple(receipt(number, draw(st.floats(0, 9))) for number in receipts),
        log=tuple(LogEntry(id=line, at=0.0, kind=LogKind.ENGINE, words="x") for line in lines),
        access=draw(st.none() | st.sampled_from(AccessLevel).map(_access)),
    )


@st.composite
def sequences(draw: st.DrawFn) -> list[Change]:
    """Changes in their order: numbers rise by one and time never goes back."""
    found, at = [], 0.0
    for number, change in enumerate(draw(st.lists(changes(), min_size=1, max_size=6))):
        at += draw(st.floats(0, 1500))
        found.append(
            Change(
                seq=number + 2,
                at=at,
                readings=change.readings,
                removed=change.removed,
                observed=change.observed,
                alerts=change.alerts,
                overrides=change.overrides,
                receipts=change.receipts,
                log=change.log,
                access=change.access,
            )
        )
    return found


@st.composite
def boards(draw: st.DrawFn) -> Board:
    """A board on which some things are already; often nearly as full as it gets."""
    start = Snapshot(
        seq=1,
        at=0.0,
        environment="test",
        readings=(source(), *(deployment(name) for name in sorted(draw(st.sets(NAMES))))),
        alerts=tuple(alert(rule) for rule in sorted(draw(st.sets(NAMES)))),
        overrides=tuple(override(number) for number in sorted(draw(st.sets(st.integers(0, 4))))),
        receipts=tuple(receipt(number) for number in range(draw(st.sampled_from((0, 3, RECEIPTS_KEPT))))),
        log=tuple(
            LogEntry(id=n, at=0.0, kind=LogKind.ENGINE, words="x") for n in range(draw(st.sampled_from((0, 199))))
        ),
    )
    board = Board()
    board.apply(start)
    return board


def _content(board: Board) -> tuple[object, ...]:
    """What can be seen of a board; where the order means something, with its order."""
    return (
        board.seq,
        board.at,
        list(board.readings.items()),
        board.observed,
        board.alerts,
        board.overrides,
        list(board.receipts.items()),
        board.log,
        board.access,
    )


@given(boards(), sequences())
def test_merged_changes_make_the_same_board_as_single_ones(board: Board, sequence: list[Change]) -> None:
    slow = copy.deepcopy(board)
    for change in sequence:
        board.apply(change)
    slow.apply(reduce(Change.merge, sequence))
    assert _content(slow) == _content(board)


@given(boards(), sequences(), st.data())
def test_it_does_not_matter_where_the_merging_began(board: Board, sequence: list[Change], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(sequence)))
    slow = copy.deepcopy(board)
    for change in sequence:
        board.apply(change)
    slow.apply(reduce(Change.merge, sequence[:cut]))
    if sequence[cut:]:
        slow.apply(reduce(Change.merge, sequence[cut:]))
    assert _content(slow) == _content(board)


@given(sequences())
def test_a_merged_change_stays_small(sequence: list[Change]) -> None:
    merged = reduce(Change.merge, sequence)
    assert len({reading.ref for reading in merged.readings}) == len(merged.readings)
    assert len(set(merged.removed)) == len(merged.removed)
    assert len({item.id for item in merged.receipts}) == len(merged.receipts)
    assert len(merged.log) <= LOG_KEPT


@given(sequences())
def test_a_change_is_the_same_after_the_wire(sequence: list[Change]) -> None:
    for change in sequence:
        line = encode(change)
        assert b"\n" not in line
        assert EventReader().read(line) == change


def test_a_reading_that_came_back_is_not_removed() -> None:
    board = Board()
    board.apply(Snapshot(seq=1, at=0.0, environment="test", readings=(deployment("a", weight=1.0),)))
    gone = Change(seq=2, at=1.0, removed=(ref("a"),))
    back = Change(seq=3, at=2.0, readings=(deployment("a", weight=2.0),))
    board.apply(gone.merge(back))
    assert list(board.readings.values()) == [deployment("a", weight=2.0)]
