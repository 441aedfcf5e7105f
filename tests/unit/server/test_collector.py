"""What the engine holds is not walked again and again."""

import gc
from collections.abc import Iterator

import pytest

from console.server.collector import settle


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_there_at_the_start_is_never_walked_and_the_rest_seldom() -> None:
    held = [[number] for number in range(1000)]
    settle()
    assert gc.get_freeze_count() >= len(held)
    walks = gc.get_stats()[0]["collections"]
    later = [[number] for number in range(20_000)]
    assert gc.get_stats()[0]["collections"] == walks, "twenty thousand new objects are no reason yet"
    assert len(later) == 20_000


def test_what_only_refers_to_itself_still_goes() -> None:
    settle()
    ring: list[object] = []
    ring.append(ring)
    del ring
    assert gc.collect() >= 1
