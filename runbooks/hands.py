"""What a runner needs of the rest of the engine: who may act, how to act, what was, and where to write it down."""

from collections.abc import Callable, Sequence
from typing import Protocol

from console.control.access import Peer
from console.domain.actions import Intent, Proposal, Receipt
from console.domain.commands import CommandIntent, CommandReceipt
from console.domain.refs import Ref
from console.domain.wire import Access, AuditRow, Confirm


class Acting(Protocol):
    """The one path to a backend (`console.control.control.Control`)."""

    async def propose(self, intent: Intent, peer: Peer) -> Proposal:
        """Plan, preview and judge an intent.

        Raises:
            Refusal: it cannot even be planned.
        """
        ...

    async def confirm(self, confirm: Confirm, peer: Peer) -> Receipt:
        """Run a proposal; one whose intent's key was confirmed before answers with that receipt and does nothing.

        Raises:
            Refusal: nothing was done; with code 503 that is not known.
        """
        ...

    async def by_key(self, key: str) -> Receipt | None:
        """What was confirmed under a key; None: nothing was, and nothing was done.

        Raises:
            Refusal: nobody knows.
        """
        ...

    async def command(self, intent: CommandIntent, peer: Peer) -> CommandReceipt:
        """Run a command to its end, or answer with what was begun under its key.

        Raises:
            Refusal: nothing was started; with code 503 that is not known.
        """
        ...

    async def command_by_key(self, key: str) -> CommandReceipt | None:
        """What was begun under a key; as `by_key`."""
        ...

    def command_argv(self, name: str, args: Sequence[str]) -> tuple[str, ...]:
        """What a command would start.

        Raises:
            Refusal: the config does not allow it.
        """
        ...


class Rights(Protocol):
    """Who may act now (`console.control.access.Grants`)."""

    def of(self, peer: Peer) -> Access:
        """What an account may do now."""
        ...


class Writing(Protocol):
    """The audit log (`console.control.audit.Audit`)."""

    async def append(self, event: str, action_id: str, operator: str, body: object) -> AuditRow:
        """Write one row; it is on disk when this returns.

        Raises:
            AuditError: it could not be written.
        """
        ...

    async def rows(self, where: str, parameters: Sequence[object] = ()) -> tuple[AuditRow, ...]:
        """The rows that a condition of this program's own picks, oldest first.

        Raises:
            AuditError: they cannot be read.
        """
        ...


Lately = Callable[[Ref, str, float], Sequence[float | None]]
"""(object, metric, seconds) → its means over the last so many seconds (`console.engine.engine.Engine.lately`)."""
Account = Callable[[int], Peer]
"""Account number → the account as this machine's user database knows it."""
