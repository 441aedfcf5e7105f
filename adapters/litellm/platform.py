"""One LiteLLM platform as this process knows it: its replicas, its Redis, and what it was found to be."""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from adapters.http import Credential
from adapters.http_wire import Transport
from adapters.litellm.abilities import Powers
from adapters.litellm.cooldowns import Cooldowns
from adapters.litellm.fleet import Fleet
from adapters.litellm.options import LiteLLMOptions
from adapters.litellm.replica import Replica, replica_names
from adapters.litellm.standing import RouterSettings, Standing, find_standing, read_settings
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import AdapterContext

T = TypeVar("T")

_NO_ANSWER = (ErrorKind.UNREACHABLE, ErrorKind.TIMEOUT)
_IN_PARTS = 2.5
"""A look asks in two rounds; each must leave time for the other."""


class Platform:
    """What reading and acting share."""

    def __init__(self, context: AdapterContext, transport: Transport | None = None) -> None:
        """`transport` replaces the network for every replica; tests play recordings through it."""
        options: LiteLLMOptions = context.options
        self.source = context.source
        self.clock = context.clock
        self.options = options
        timeout_s = context.timeout_s / _IN_PARTS
        actor = Credential(options.key, context.secret)
        reader = Credential(options.read_key, context.secret) if options.read_key else actor
        self.replicas = [
            Replica(name, url, timeout_s=timeout_s, reader=reader, actor=actor, transport=transport)
            for name, url in zip(replica_names(options.replicas), options.replicas, strict=True)
        ]
        self.cooldowns = Cooldowns(options.redis, context.secret, timeout_s) if options.redis else None
        self.redis_state = "ok" if self.cooldowns else "no Redis is configured"
        self.standing: Standing | None = None
        self.settings: RouterSettings | None = None
        self.fleet = Fleet()
        """The union over all replicas that answered the last look."""
        self.released: dict[str, float] = {}
        """Deployment → unix seconds until when replicas may go on with their copy of a deleted cooldown."""

    @property
    def requests(self) -> int:
        """How many requests all of this was sent so far."""
        return sum(replica.requests for replica in self.replicas) + (self.cooldowns.requests if self.cooldowns else 0)

    def powers(self) -> Powers:
        """What can be done here, as far as it is known now."""
        return Powers(self.standing, self.settings, self.redis_state)

    async def find_out(self, replica: Replica) -> Standing:
        """Find out anew what this LiteLLM is and what the key may do.

        Raises:
            BackendError: what the reads met.
        """
        self.standing = await find_standing(replica.reader, replica.actor)
        for other in self.replicas:
            other.version = self.standing.version if other is replica or not other.version else other.version
        return self.standing

    async def read_settings(self, replica: Replica) -> RouterSettings:
        """Read the router's settings anew.

        Raises:
            BackendError: what the read met.
        """
        self.settings = await read_settings(replica.reader)
        return self.settings

    async def first(
        self, ask: Callable[[Replica], Awaitable[T]], *, next_on: Collection[ErrorKind] = _NO_ANSWER
    ) -> tuple[Replica, T]:
        """Ask the replicas one after the other, those that were up first; returns who answered, and what.

        Only an error in `next_on` leads to the next replica; for a write that is UNREACHABLE alone, because every
        other one may mean that it was sent.

        Raises:
            BackendError: the first answer that was another error, or the last replica's when none can be reached.
        """
        last = BackendError(ErrorKind.UNREACHABLE, "no replica is configured")
        for replica in sorted(self.replicas, key=lambda each: not each.up):
            try:
                return replica, await ask(replica)
            except BackendError as error:
                if error.kind not in next_on:
                    raise
                last = error
        raise last

    async def close(self) -> None:
        """Give every connection back."""
        for replica in self.replicas:
            await replica.close()
        if self.cooldowns is not None:
            await self.cooldowns.close()
