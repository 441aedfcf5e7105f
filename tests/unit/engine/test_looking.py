"""What consoles look at reaches the sources that ask for it, and is forgotten."""

from console.domain.readings import Observation
from console.domain.refs import Kind, Ref
from console.domain.wire import FOCUS_MOST, FOCUS_S, CheckRow
from console.engine.clock import ManualClock
from console.engine.looking import Looking


class Broker:
    """An adapter that is told what is looked at."""

    def __init__(self) -> None:
        self.told: list[tuple[Ref, ...]] = []

    def focus(self, refs: tuple[Ref, ...]) -> None:
        self.told.append(refs)

    async def observe(self) -> Observation:
        raise NotImplementedError

    async def check(self) -> tuple[CheckRow, ...]:
        return ()

    async def close(self) -> None:
        return


def queue(name: str, source: str = "jobs") -> Ref:
    return Ref(source, Kind.QUEUE, name)


def test_only_its_own_objects_are_told_and_only_when_they_change() -> None:
    broker = Broker()
    looking = Looking({"jobs": broker}, ManualClock())
    looking.look("ann", (queue("a"), queue("b", "other")))
    looking.look("ann", (queue("a"),))
    assert broker.told == [(queue("a"),)]


def test_two_consoles_are_one_focus_and_the_newest_comes_first() -> None:
    broker = Broker()
    looking = Looking({"jobs": broker}, ManualClock())
    looking.look("ann", (queue("a"), queue("b")))
    looking.look("bob", (queue("c"), queue("a")))
    assert broker.told[-1] == (queue("c"), queue("a"), queue("b"))


def test_there_is_a_limit_for_all_together() -> None:
    broker = Broker()
    looking = Looking({"jobs": broker}, ManualClock())
    looking.look("ann", tuple(queue(f"a{n}") for n in range(FOCUS_MOST)))
    looking.look("bob", tuple(queue(f"b{n}") for n in range(2 * FOCUS_MOST)))
    assert broker.told[-1] == tuple(queue(f"b{n}") for n in range(FOCUS_MOST))


async def test_a_console_that_says_nothing_more_is_forgotten() -> None:
    broker, clock = Broker(), ManualClock()
    looking = Looking({"jobs": broker}, clock)
    looking.look("ann", (queue("a"),))
    await clock.advance(FOCUS_S + 1)
    looking.look("bob", (queue("b"),))
    assert broker.told[-1] == (queue("b"),)
