"""The real tier's fixtures: servers that files share, put back to their beginning before every test.

Where the servers cannot be had, the tests are skipped with the reason. With CI=true or SWITCHGEAR_REQUIRE_REAL=1
they fail instead: a run that proved nothing must not look like one that did.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import pytest

from tests.real.sharing import Shared
from tests.real.stack.missing import Missing
from tests.real.stack.nats import NatsServer, start_nats
from tests.real.stack.processes import Nursery
from tests.real.stack.rabbitmq import RabbitServer, start_rabbitmq
from tests.real.stack.testbed import Testbed, start_testbed

T = TypeVar("T")

LIMIT_S = 300
"""How long one real test may take, the start of the servers included when it is the first."""
GATEWAYS = {
    "test_acting": "gateways acted on",
    "test_killed_engine": "gateways of killed engines",
    "test_killed_runs": "gateways of killed engines",
}
"""Files that take as long as all others that need the gateways together, and have gateways of their own."""
SEEN = "gateways seen"
BROKERS = dict.fromkeys(("test_killed_rounds", "test_rabbitmq_alarms", "test_rabbitmq_away"), "brokers in trouble")
"""The same for the broker."""
USED = "brokers used"
FIRST = (*dict.fromkeys(GATEWAYS.values()), SEEN, *dict.fromkeys(BROKERS.values()), USED, "test_nats")
"""The longest groups, begun first where tests run side by side: everything else fits in beside them."""
INSTALL_LIMIT_S = 1200
"""The same while the servers still have to be downloaded (`python -m tests.real.stack prepare` does it before)."""


def real_is_required() -> bool:
    """Whether a skipped real tier counts as a failure."""
    return os.environ.get("SWITCHGEAR_REQUIRE_REAL") == "1" or os.environ.get("CI", "").lower() in ("1", "true")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups, also where this folder alone is asked for
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test in this folder is real, and may take longer than a unit test.

    Where tests run side by side, those that share servers run one after the other: all of one file, those that need
    the broker in two groups and those that need the gateways in three, each with servers of its own, since they mostly
    wait. They come before all others, and the longest of them first.
    """
    here = Path(__file__).parent
    mine = [item for item in items if item.path.is_relative_to(here)]
    groups = {item: _group(item) for item in mine}
    mine.sort(key=lambda item: FIRST.index(groups[item]) if groups[item] in FIRST else len(FIRST))
    for item, group in groups.items():
        item.add_marker(pytest.mark.real)
        item.add_marker(pytest.mark.xdist_group(group))
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(INSTALL_LIMIT_S if item is mine[0] else LIMIT_S))
    items[:] = [*mine, *(item for item in items if item not in groups)]


def _group(item: pytest.Item) -> str:
    """Which tests this one may not run beside."""
    needs, file = getattr(item, "fixturenames", ()), item.path.stem
    if "gateways" in needs:
        return GATEWAYS.get(file, SEEN)
    return BROKERS.get(file, USED) if "brokers" in needs else file


def ready_or_skip(found: T | Missing) -> T:
    """The servers that were started; where there are none, the end of the test that asks for them."""
    if isinstance(found, Missing):
        _cannot(found)
    return found


def _cannot(reason: Missing) -> NoReturn:
    words = f"no real servers here: {reason}"
    if real_is_required():
        pytest.fail(f"{words} (and CI or SWITCHGEAR_REQUIRE_REAL asks for them)", pytrace=False)
    pytest.skip(words)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder with a short name: engines listen in it, and a socket's path has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="sg-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _gateways() -> Testbed:
    return start_testbed(plain=False)


def _broker() -> RabbitServer:
    nursery = Nursery()
    try:
        return start_rabbitmq(nursery)
    except BaseException:
        nursery.close()
        raise


SHARED: dict[str, Shared[Any]] = {
    "gateways": Shared(_gateways, Testbed.close),
    "brokers": Shared(_broker, lambda broker: broker.nursery.close()),
}
"""The servers that are shared, by the fixture that gives them."""


@pytest.hookimpl(trylast=True)  # after the fixtures' own ends, which may still ask the servers
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Stop the servers that the next test of this process does not need."""
    needs = getattr(nextitem, "fixturenames", ())
    for name, shared in SHARED.items():
        if name not in needs:
            shared.end()


@pytest.fixture(scope="session")
def gateways() -> Shared[Testbed]:
    """Two gateways over one database, with their upstreams."""
    return SHARED["gateways"]


@pytest.fixture
def testbed(gateways: Shared[Testbed]) -> Testbed:
    """The running gateways, settled: nothing blocked, aliased, reweighted, cooling down or faulty."""
    found = ready_or_skip(gateways.get())
    found.settle()
    return found


@pytest.fixture(scope="session")
def brokers() -> Shared[RabbitServer]:
    """One RabbitMQ."""
    return SHARED["brokers"]


@pytest.fixture
def broker(brokers: Shared[RabbitServer]) -> RabbitServer:
    """The running broker, empty: no queue, exchange, policy or shovel of a test before."""
    found = ready_or_skip(brokers.get())
    found.clear()
    return found


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    """A NATS server of its own, empty: it is ready in a tenth of a second."""
    nursery = Nursery()
    try:
        yield start_nats(nursery)
    except Missing as reason:
        _cannot(reason)
    finally:
        nursery.close()
