"""Thousands of conversations that a small world of services makes: what was planted is found, and nothing else.

The world is not the finder turned round: it runs an index that is published, services that follow it, and memory that
is written, and plants faults into that. What it plants it knows by construction.
"""

import random

import msgspec
import pytest

from console.domain.conversations import DivergenceKind, Mark
from console.traces.split import divergences
from tests.unit.traces.marked import read, touch

SNAPSHOTS, LOST, FOREIGN = DivergenceKind.SNAPSHOTS, DivergenceKind.LOST_WRITE, DivergenceKind.FOREIGN_WRITE
SERVICES = ("api", "worker", "search", "mail")
Told = set[tuple[DivergenceKind, str, str]]


class World:
    """One source, one index, one user's memory, a clock."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.name = f"w{seed}"
        self.at = 1000.0
        self.marks: list[Mark] = []
        self.planted: Told = set()
        self.version = 1
        self.held = dict.fromkeys(SERVICES, 1)
        """The snapshot that each service answers from."""
        self.cool_down()

    def cool_down(self) -> None:
        """Every service answers somebody else."""
        for service in SERVICES:
            self.read(service, talk="other " + service)

    def wait(self, least: float = 1.0, most: float = 60.0) -> None:
        self.at += self.chance.choice((self.chance.uniform(least, most), float(int(least) + 1)))

    def read(self, service: str, *, talk: str, trace: str = "", version: str = "") -> Mark:
        self.wait()
        shown = version or f"{self.name}-v{self.held[service]}"
        mark = read(self.at, service, shown, talk=f"{self.name} {talk}", trace=trace, source=self.name)
        self.marks.append(mark)
        return mark

    def touch(self, op: str, version: str, *, talk: str, service: str = "api", key: str = "user") -> Mark:
        self.wait()
        mark = touch(self.at, op, version, talk=f"{self.name} {talk}", service=service, key=key, store=self.name)
        self.marks.append(mark)
        return mark

    def publish(self) -> None:
        """A new index, which every service answers from at once; one of them is never long without work."""
        self.version += 1
        self.held = dict.fromkeys(SERVICES, self.version)
        if self.chance.random() < 0.5:
            self.wait()
        self.read("mail", talk="busy")

    def plant(self, kind: DivergenceKind, mark: Mark) -> None:
        self.planted.add((kind, mark.conversation, mark.span_id))


def found_in(marks: list[Mark], chance: random.Random) -> Told:
    """What is found, whatever the order in which marks come: late ones, and some twice."""
    sent = [*marks, *chance.choices(marks, k=len(marks) // 3)]
    chance.shuffle(sent)
    return {(one.kind, one.first.conversation, one.first.span_id) for one in divergences(sent)}


def talk_along(world: World) -> None:
    """Services take turns in one conversation while the index is published now and then."""
    for _ in range(world.chance.randint(2, 8)):
        if world.chance.random() < 0.3:
            world.publish()
        trace = f"{world.name}-{world.at}"
        for service in world.chance.sample(SERVICES, world.chance.randint(1, 3)):
            world.read(service, talk="along", trace=trace)


def one_moves_on_alone(world: World) -> None:
    """A single service answers this conversation, and goes back and forth."""
    for _ in range(5):
        world.read("search", talk="alone", version=world.chance.choice(("old", "new")))


def no_versions(world: World) -> None:
    for service in world.chance.choices(SERVICES, k=4):
        mark = world.read(service, talk="silent")
        world.marks[-1] = msgspec.structs.replace(mark, version="")


def long_apart(world: World) -> None:
    world.read("api", talk="apart")
    world.publish()
    world.at += 2000.0
    world.read("worker", talk="apart")
    world.held = dict.fromkeys(SERVICES, world.version)


def user_memory_handed_on(world: World) -> None:
    """Conversations of one user come one after the other."""
    key, version = f"user {world.at}", 0
    for number in range(world.chance.randint(2, 4)):
        talk = f"user talk {world.at} {number}"
        if version:
            world.touch("read", str(version), talk=talk, key=key)
        for _ in range(world.chance.randint(0, 2)):
            version += 1
            op = "create" if version == 1 else "update"
            world.touch(op, str(version), talk=talk, key=key, service=world.chance.choice(SERVICES))
            if world.chance.random() < 0.5:
                world.touch("read", str(version), talk=talk, key=key, service=world.chance.choice(SERVICES))


def memory_of_each_conversation(world: World) -> None:
    key = f"summary {world.at}"
    for talk in (f"one {world.at}", f"two {world.at}"):
        for version in range(1, world.chance.randint(2, 4)):
            world.touch("create" if version == 1 else "upsert", str(version), talk=talk, key=key)


def deleted_and_made_again(world: World) -> None:
    talk, key = f"deleting {world.at}", f"gone {world.at}"
    world.touch("create", "1", talk=talk, key=key)
    world.touch("update", "2", talk=talk, key=key)
    world.touch("delete", "", talk=talk, key=key)
    world.touch("create", "1", talk=talk, key=key)
    world.touch("read", "1", talk=talk, key=key)


def rolled_back(world: World) -> None:
    """The index of before is published again, for all."""
    talk = f"back {world.at}"
    for service in world.chance.sample(SERVICES, 3):
        world.read(service, talk=talk)
    world.publish()
    world.cool_down()
    world.read("api", talk=talk)
    world.held = dict.fromkeys(SERVICES, world.version - 1)
    for service in world.chance.sample(SERVICES, 3):
        world.read(service, talk=talk)
    world.cool_down()
    world.at += 1000.0
    world.version += 1
    world.held = dict.fromkeys(SERVICES, world.version)
    world.cool_down()


CLEAN = (
    rolled_back, talk_along, one_moves_on_alone, no_versions, long_apart, user_memory_handed_on,
    memory_of_each_conversation, deleted_and_made_again,
)  # fmt: skip


def left_behind(world: World) -> None:
    """One service keeps the old index after the others moved on, and both answer one conversation."""
    talk = f"behind {world.at}"
    old = f"{world.name}-v{world.version}"
    world.read("worker", talk=talk)
    world.publish()
    world.read("api", talk=talk)
    world.plant(SNAPSHOTS, world.read("worker", talk=talk, version=old))
    for _ in range(world.chance.randint(0, 3)):
        world.read("worker", talk=talk, version=old)


def never_the_same(world: World) -> None:
    """A service that nobody has seen before."""
    talk = f"never {world.at}"
    world.read("api", talk=talk)
    world.plant(SNAPSHOTS, world.read("guest", talk=talk, version=f"{world.name}-other-{world.at}"))


def within_one_request(world: World) -> None:
    trace, talk = f"request {world.name} {world.at}", world.chance.choice(("", f"within {world.at}"))
    one = world.read("api", talk=talk, trace=trace)
    other = world.read("mail", talk=talk, trace=trace, version=f"{world.name}-torn")
    if not talk:
        world.marks[-2:] = [msgspec.structs.replace(mark, conversation="") for mark in (one, other)]
    world.plant(SNAPSHOTS, world.marks[-1])
    world.read("mail", talk=talk or "recovered")


def lost_update(world: World) -> None:
    talk, key = f"losing {world.at}", f"lost {world.at}"
    world.touch("create", "1", talk=talk, key=key)
    world.touch("update", "2", talk=talk, key=key)
    for _ in range(world.chance.randint(0, 2)):
        world.touch("read", "2", talk=talk, key=key)
    world.plant(LOST, world.touch("read", "1", talk=talk, key=key, service="worker"))
    world.touch("read", "1", talk=talk, key=key, service="worker")


def overwritten(world: World) -> None:
    talk, key = f"over {world.at}", f"raced {world.at}"
    world.touch("create", "e-a", talk=talk, key=key)
    world.touch("update", "e-b", talk=talk, key=key)
    world.plant(LOST, world.touch("update", "e-b", talk=talk, key=key, service="worker"))


def written_from_outside(world: World) -> None:
    talk, key = f"inside {world.at}", f"shared {world.at}"
    world.touch("create", "1", talk=talk, key=key)
    world.touch("update", "2", talk=f"outside {world.at}", key=key, service="mail")
    op, version = world.chance.choice((("read", "2"), ("update", "3")))
    world.plant(FOREIGN, world.touch(op, version, talk=talk, key=key))


def written_by_nobody(world: World) -> None:
    talk, key = f"jumping {world.at}", f"jumped {world.at}"
    world.touch("create", "1", talk=talk, key=key)
    world.touch("update", "2", talk=talk, key=key)
    op, version = world.chance.choice((("read", "4"), ("update", "4"), ("update", "5")))
    world.plant(FOREIGN, world.touch(op, version, talk=talk, key=key))


def stale_once(world: World) -> None:
    """A replica that was forgotten answers once from an index that everybody knew."""
    talk = f"stale {world.at}"
    old = f"{world.name}-v{world.version}"
    world.publish()
    world.cool_down()
    world.read("api", talk=talk)
    world.plant(SNAPSHOTS, world.read("worker", talk=talk, version=old))


PLANTED = (
    stale_once, left_behind, never_the_same, within_one_request, lost_update, overwritten, written_from_outside,
    written_by_nobody,
)  # fmt: skip


@pytest.mark.parametrize("part", range(8))
def test_all_planted_are_found_at_their_span_and_none_is_invented(part: int) -> None:
    for seed in range(part * 250, (part + 1) * 250):
        world = World(seed)
        acts = world.chance.choices(CLEAN, k=4) + world.chance.choices(PLANTED, k=world.chance.randint(0, 3))
        world.chance.shuffle(acts)
        for act in acts:
            act(world)
            world.cool_down()
        assert found_in(world.marks, world.chance) == world.planted, f"seed {seed}: {[act.__name__ for act in acts]}"


def test_worlds_beside_each_other_do_not_disturb_each_other() -> None:
    """All marks of 200 worlds at once: what is judged together is found as apart."""
    worlds = [World(seed) for seed in range(9000, 9200)]
    for world in worlds:
        for act in (*world.chance.choices(CLEAN, k=3), *world.chance.choices(PLANTED, k=2)):
            act(world)
            world.cool_down()
    marks = [mark for world in worlds for mark in world.marks]
    assert found_in(marks, random.Random(1)) == set().union(*(world.planted for world in worlds))
