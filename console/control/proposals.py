"""Proposals that wait for a yes: bounded, short-lived, and good only for the operator who asked."""

from console.domain.actions import Proposal
from console.domain.errors import Refusal
from console.domain.ports import Clock

VALID_S = 120.0
"""How long a proposal may be confirmed: what it shows must still be what is true."""
KEPT = 200
"""Proposals in memory; the oldest goes first."""


class Proposals:
    """What was shown to whom."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, tuple[int, Proposal]] = {}

    def add(self, uid: int, proposal: Proposal) -> None:
        """Keep a proposal for its operator."""
        self._waiting[proposal.id] = (uid, proposal)
        while len(self._waiting) > KEPT:
            self._waiting.pop(next(iter(self._waiting)))

    def get(self, proposal_id: str, uid: int) -> Proposal:
        """The proposal, if this operator may still confirm it.

        Raises:
            Refusal: it is another's, too old, or unknown. Another's is not told from an unknown one.
        """
        owner, proposal = self._waiting.get(proposal_id, (None, None))
        if proposal is None or owner != uid:
            raise Refusal("there is no such proposal of yours; propose again", code=404)
        if self._clock.now() > proposal.valid_until:
            del self._waiting[proposal_id]
            raise Refusal(f"the proposal is older than {VALID_S:.0f} s; look again and confirm the new one", code=409)
        return proposal

    def drop(self, proposal_id: str) -> None:
        """It was confirmed: a second yes finds nothing."""
        self._waiting.pop(proposal_id, None)
