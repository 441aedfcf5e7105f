"""One bench for every adapter that the suite knows."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from console.domain.ports import Breakers, Queues
from tests.contract.bench import Bench, MovingBench, Subject
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
def planner(request: pytest.FixtureRequest) -> Subject:
    """A subject that plans."""
    found: Subject = request.param
    return found


@pytest.fixture
async def planning(planner: Subject) -> AsyncIterator[Bench]:
    """Its adapter, on an ordinary backend."""
    async with planner.open() as opened:
        yield opened


@pytest.fixture(params=[one for one in SUBJECTS if one.plans and one.hostile], ids=lambda subject: subject.name)
async def planning_hostile(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """An adapter that plans, on a backend with hostile names."""
    subject: Subject = request.param
    assert subject.hostile is not None
    async with subject.hostile() as opened:
        yield opened


@pytest.fixture(params=[one for one in SUBJECTS if one.acts and Breakers in one.ports], ids=lambda one: one.name)
async def acting(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A gateway's adapter on a backend that answers to actions."""
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


@pytest.fixture(
    params=[one for one in SUBJECTS if one.acts and one.hostile and Breakers in one.ports], ids=lambda one: one.name
)
async def acting_hostile(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """The same, where it answers to actions."""
    subject: Subject = request.param
    assert subject.hostile is not None
    async with subject.hostile() as opened:
        yield opened


@pytest.fixture(params=[one for one in SUBJECTS if one.acts and Queues in one.ports], ids=lambda one: one.name)
async def moving(request: pytest.FixtureRequest) -> AsyncIterator[MovingBench]:
    """A broker's adapter on a backend that answers to actions."""
    subject: Subject = request.param
    async with subject.open() as opened:
        yield cast(MovingBench, opened)


@pytest.fixture(
    params=[one for one in SUBJECTS if one.acts and one.hostile and Queues in one.ports], ids=lambda one: one.name
)
async def moving_hostile(request: pytest.FixtureRequest) -> AsyncIterator[MovingBench]:
    """The same on a backend with hostile names."""
    subject: Subject = request.param
    assert subject.hostile is not None
    async with subject.hostile() as opened:
        yield cast(MovingBench, opened)
