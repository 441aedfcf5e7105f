"""One bench for every adapter that the suite knows."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.bench import Bench, Subject
from tests.contract.subjects import SUBJECTS


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.name)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@pytest.fixture
async def bench(subject: Subject) -> AsyncIterator[Bench]:
    """The adapter on an ordinary backend."""
    async with subject.open() as opened:
        yield opened


@pytest.fixture
async def acting(subject: Subject) -> AsyncIterator[Bench]:
    """The adapter on a backend that answers to actions."""
    if not subject.acts:
        pytest.skip(f"{subject.name} is a recording: it does not answer to actions")
    async with subject.open() as opened:
        yield opened


@pytest.fixture
async def hostile(subject: Subject) -> AsyncIterator[Bench]:
    """The adapter on a backend with hostile names."""
    if subject.hostile is None:
        pytest.skip(f"{subject.name} has no backend with hostile names")
    async with subject.hostile() as opened:
        yield opened


@pytest.fixture
async def acting_hostile(subject: Subject, hostile: Bench) -> Bench:
    """The same, where it answers to actions."""
    if not subject.acts:
        pytest.skip(f"{subject.name} is a recording: it does not answer to actions")
    return hostile
