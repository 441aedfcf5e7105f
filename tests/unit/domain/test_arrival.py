"""Events are read as they were written, and what many readings say alike is there once."""

import msgspec
import pytest

from console.domain.arrival import MOST_ALIKE, EventReader
from console.domain.readings import Ability, Queue
from console.domain.refs import Kind, Ref
from console.domain.verbs import Verb
from console.domain.wire import Change, Heartbeat, Snapshot, encode
from tests.unit.domain.things import alert, deployment, receipt, source

CAN = (Ability(Verb.PARK, able=True), Ability(Verb.REPLAY, able=False, reason="nothing of it is parked"))


def queue(name: str, can: tuple[Ability, ...] = CAN) -> Queue:
    return Queue(ref=Ref("jobs", Kind.QUEUE, name), observed_at=1.0, can=can, depth=3)


def snapshot(*readings: Queue) -> Snapshot:
    return Snapshot(seq=1, at=2.0, environment="x", readings=readings)


def test_every_part_of_a_snapshot_arrives() -> None:
    sent = Snapshot(
        seq=7, at=2.0, environment="x", readings=(source(), deployment(), queue("a")), alerts=(alert("burn"),),
        receipts=(receipt(1),),
    )  # fmt: skip
    assert EventReader().read(encode(sent)) == sent
    assert type(EventReader().read(encode(sent))) is Snapshot
    assert EventReader().read(encode(Heartbeat(seq=1, at=1.0, observed={}))) == Heartbeat(seq=1, at=1.0, observed={})


def test_readings_with_the_same_abilities_share_them_also_with_those_that_come_later() -> None:
    reader = EventReader()
    first = reader.read(encode(snapshot(queue("a"), queue("b"), queue("c", ()))))
    later = reader.read(encode(Change(seq=2, at=3.0, readings=(queue("d"),))))
    assert isinstance(first, Snapshot)
    assert isinstance(later, Change)
    a, b, c, d = (*first.readings, *later.readings)
    assert a.can is b.can is d.can
    assert (a.can, c.can) == (CAN, ())
    assert a.ref.source is d.ref.source


def test_very_many_different_abilities_are_not_remembered_for_ever() -> None:
    reader = EventReader()
    many = [queue(str(n), (Ability(Verb.PARK, able=False, reason=str(n)),)) for n in range(3 * MOST_ALIKE)]
    assert reader.read(encode(snapshot(*many))) == snapshot(*many)
    assert len(reader._abilities) <= MOST_ALIKE + 1


@pytest.mark.parametrize("line", [b'{"type": "snapshot", "seq": 1', b"nonsense", b""])
def test_what_is_no_json_is_refused(line: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        EventReader().read(line)


def test_a_reading_of_another_shape_is_refused() -> None:
    line = encode(snapshot(queue("a"))).replace(b'"depth":3', b'"depth":"much"')
    with pytest.raises(msgspec.ValidationError, match="depth"):
        EventReader().read(line)
