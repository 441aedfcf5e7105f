"""What this broker is and what the console's user may do on it, found out by reading."""

from dataclasses import dataclass

from adapters.rabbitmq.api import NodeRow, Overview, Shovel, WhoAmI
from adapters.rabbitmq.asking import Asks
from adapters.rabbitmq.broker import Broker
from console.domain.errors import BackendError, ErrorKind
from console.domain.text import clean

_BLOCKED = "producers wait until"


@dataclass(frozen=True, slots=True)
class Standing:
    """The broker and the user, as found out at one moment."""

    version: str
    user: str
    tags: frozenset[str]
    rates: bool
    """Whether the server counts rates (its `rates_mode`)."""
    alarms: tuple[str, ...]
    """What the nodes complain of, in words."""

    @property
    def why_no_change(self) -> str:
        """Why the user can set no shovel; empty when it can."""
        if self.tags & {"policymaker", "administrator"}:
            return ""
        return f"the user {clean(self.user, 40)} lacks the tag policymaker, without which no shovel can be set"

    @property
    def sees_all(self) -> bool:
        """Whether the user sees every queue, and the shovels."""
        return bool(self.tags & {"monitoring", "administrator"})

    def words(self) -> str:
        """One line."""
        tags = ", ".join(sorted(clean(tag, 20) for tag in self.tags)) or "no tags"
        return f"RabbitMQ {clean(self.version, 20) or '?'}; {clean(self.user, 40)}: {tags}"


async def find_standing(broker: Broker) -> Standing:
    """Ask who we are and what this is.

    Raises:
        BackendError: what the reads met.
    """
    who = await broker.read("/api/whoami", WhoAmI)
    try:
        overview = await broker.read(
            "/api/overview", Overview, {"columns": "rabbitmq_version,rates_mode,disable_stats"}
        )
    except BackendError as error:
        if error.kind is not ErrorKind.FORBIDDEN:
            raise
        overview = Overview()
    return Standing(
        version=overview.rabbitmq_version,
        user=who.name,
        tags=who.tag_names,
        rates=overview.rates_mode != "none" and not overview.disable_stats,
        alarms=await read_alarms(broker),
    )


async def read_alarms(broker: Asks) -> tuple[str, ...]:
    """What the nodes complain of, in words, with the way out; nothing where the user may not know.

    Raises:
        BackendError: what the read met, other than that it is not allowed.
    """
    found: list[str] = []
    for node in await _nodes(broker):
        name = f"node {clean(node.name, 60)}"
        if not node.running:
            found.append(f"{name} does not run")
        if node.mem_alarm:
            found.append(f"{name} has a memory alarm: {_BLOCKED} memory is free or vm_memory_high_watermark higher")
        if node.disk_free_alarm:
            found.append(f"{name} has a disk alarm: {_BLOCKED} there is room or disk_free_limit is lower")
    return tuple(found)


async def _nodes(broker: Asks) -> list[NodeRow]:
    try:
        return await broker.read("/api/nodes", list[NodeRow], {"columns": "name,running,mem_alarm,disk_free_alarm"})
    except BackendError as error:
        if error.kind is not ErrorKind.FORBIDDEN:
            raise
        return []


async def read_shovels(broker: Asks) -> list[Shovel] | str:
    """Every shovel that runs, or why they cannot be listed.

    Raises:
        BackendError: what the read met, other than that it is not there or not allowed.
    """
    try:
        return await broker.read("/api/shovels", list[Shovel])
    except BackendError as error:
        if error.kind is ErrorKind.UNSUPPORTED:
            return "the plugins rabbitmq_shovel and rabbitmq_shovel_management are not enabled on the broker"
        if error.kind is ErrorKind.FORBIDDEN:
            return "the user lacks the tag monitoring, without which no shovel can be seen"
        raise
