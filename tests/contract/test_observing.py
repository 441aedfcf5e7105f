"""What every adapter shows."""

from console.domain.ports import Adapter
from console.domain.readings import Spend, SpendScope
from console.domain.text import clean
from tests.contract.asking import look
from tests.contract.bench import Bench, Subject
from tests.contract.hostile import NAMES


def test_the_spec_introduces_its_adapter(subject: Subject) -> None:
    spec = subject.spec
    assert spec.name
    assert spec.summary
    assert spec.tested
    assert spec.options.model_json_schema()


async def test_it_is_what_its_ports_say(subject: Subject, bench: Bench) -> None:
    for port in (Adapter, *subject.ports):
        assert isinstance(bench.adapter, port)


async def test_an_observation_has_no_fault(bench: Bench) -> None:
    for _ in range(3):
        await look(bench)
        await bench.settle()


async def test_an_observation_has_everything_that_a_screen_shows(subject: Subject, bench: Bench) -> None:
    readings = (await bench.adapter.observe()).readings
    for kind in subject.shows:
        assert any(isinstance(reading, kind) for reading in readings), kind
    scopes = {reading.scope for reading in readings if isinstance(reading, Spend)}
    expected = {SpendScope.TOTAL, SpendScope.PROVIDER, SpendScope.MODEL, SpendScope.KEY}
    assert scopes >= (expected if Spend in subject.shows else set())


async def test_a_check_never_raises_and_says_something(bench: Bench) -> None:
    rows = await bench.adapter.check()
    assert rows
    assert all(row.what and row.words and row.source == bench.source for row in rows)


async def test_a_check_says_of_every_replica_whether_it_is_there(bench: Bench) -> None:
    rows = await bench.adapter.check()
    observation = await bench.adapter.observe()
    assert {replica.name for replica in observation.replicas} <= {row.replica for row in rows}


async def test_closing_twice_is_no_error(bench: Bench) -> None:
    await bench.adapter.close()
    await bench.adapter.close()


async def test_hostile_names_stay_what_they_are_and_are_clean_in_every_sentence(hostile: Bench) -> None:
    observation = await look(hostile)
    seen = {reading.ref.name for reading in observation.readings}
    assert seen & set(NAMES)
    for note in (*observation.notes, *(str(problem) for problem in observation.problems)):
        assert clean(note, 5000) == note
