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


@pytest.fixture(params=[one for one in SUBJECTS if one.plans], ids=lambda subject: subject.name)
async def planning(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """An adapter that plans."""
    subject: Subject = request.param
    async with subject.open() as opened:
        yield opened


@pytest.fixture(params=[one for one in SUBJECTS if one.plans and one.hostile], ids=lambda subject: subject.name)
async def planning_hostile(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """An adapter that plans, on a backend with hostile names."""
    subject: Subject = request.param
    assert subject.hostile is not None
    async with subject.hostile() as opened:
        yield opened


@pytest.fixture(params=[one for one in SUBJECTS if one.acts], ids=lambda subject: subject.name)
async def acting(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """An adapter on a backend that answers to actions."""
    subject: Subject = request.param
    async with subject.open() as opened:
        yield opened


@pytest.fixture(params=[one for one in SUBJECTS if one.hostile], ids=lambda subject: subject.name)
async def hostile(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """An adapter on a backend with hostile names."""
    subject: Subject = request.param
    assert subject.hostile is not None
    async with subject.hostile() as opened:
        yield opened


@pytest.fixture(params=[one for one in SUBJECTS if one.acts and one.hostile], ids=lambda subject: subject.name)
async def acting_hostile(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """The same, where it answers to actions."""
    subject: Subject = request.param
    assert subject.hostile is not None
    async with subject.hostile() as opened:
        yield opened
