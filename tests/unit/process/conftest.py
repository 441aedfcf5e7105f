"""Every test gets a place of its own, with a path short enough for a socket."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.process.place import Place


@pytest.fixture
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="sg", ignore_cleanup_errors=True) as name:
        it = Place(Path(name))
        try:
            yield it
        finally:
            it.clear()
