"""Side effects of a run: each is looked up by its key first, and sent only when nothing was done under it."""

import hashlib

import msgspec

from console.control.access import Peer
from console.domain.actions import Intent, Outcome, Proposal, Receipt
from console.domain.commands import CommandIntent, CommandReceipt
from console.domain.errors import BackendError, Refusal
from console.domain.ports import Clock
from console.domain.wire import AccessLevel, Confirm
from runbooks import events
from runbooks.eyes import Eyes
from runbooks.hands import Acting, Rights
from runbooks.schema import Runbook
from runbooks.session import Act, Lookup, RunCommandStep, Session, Show

NOT_KNOWN = (500, 503)
"""A refusal with one of these codes does not say that nothing was done: it is looked up again."""
STILL_S = 2.0
"""A proposal that is good for no longer than this is made anew."""


class Sending:
    """Shows, sends and looks up what one run asks for, as its holder."""

    def __init__(self, acting: Acting, rights: Rights, eyes: Eyes, clock: Clock) -> None:
        self._acting = acting
        self._rights = rights
        self._eyes = eyes
        self._clock = clock
        self._proposal: Proposal | None = None
        self.trouble = ""
        """Why the last thing could be neither sent nor looked up."""

    async def send(
        self, wanted: Show | Act | Lookup | RunCommandStep, session: Session, runbook: Runbook, peer: Peer
    ) -> events.Event | None:
        """What came of it; None: nobody knows now (`trouble`), ask again."""
        try:
            match wanted:
                case Show():
                    return await self._show(wanted.intent, peer)
                case Act():
                    return await self._act(wanted, peer)
                case Lookup():
                    return await self._look_up(wanted)
                case RunCommandStep():
                    return await self._command(wanted, session, runbook, peer)
        except Refusal as refusal:
            if refusal.code not in NOT_KNOWN:
                return events.Refused(refusal.words)
            self.trouble = refusal.words
        except BackendError as error:
            self.trouble = str(error)
        return None

    async def by_key(self, key: str) -> Receipt | None:
        """What was confirmed under a key, however old; None also when that cannot be said now."""
        try:
            return await self._acting.by_key(key)
        except Refusal as refusal:
            self.trouble = refusal.words
            return None

    async def _show(self, intent: Intent, peer: Peer) -> events.Event:
        self._proposal = proposal = await self._acting.propose(intent, peer)
        return events.Shown(proposal, fingerprint(proposal))

    async def _look_up(self, wanted: Lookup) -> events.Event:
        if wanted.command:
            ran = await self._acting.command_by_key(wanted.key)
            return events.NotSent() if ran is None else _commanded(wanted.key, ran)
        found = await self._acting.by_key(wanted.key)
        return events.NotSent() if found is None else events.Sent(wanted.key, found.id)

    async def _act(self, wanted: Act, peer: Peer) -> events.Event:
        intent = wanted.intent
        before = await self._acting.by_key(intent.key)
        if before is not None:
            return events.Sent(intent.key, before.id)
        if (no := self._no_right(peer)) is not None:
            return no
        proposal = await self._good(wanted, peer)
        if proposal.plan is None or not proposal.verdict.allowed:
            return events.Refused("; ".join(proposal.verdict.refusals) or "it cannot be planned")
        print_now = fingerprint(proposal)
        if wanted.shown and wanted.shown != print_now:
            return self._ask(proposal, print_now, "what it would do has changed since it was shown: look again")
        if proposal.verdict.needs_name and wanted.typed != intent.target.name:
            return self._ask(proposal, print_now, "type the target's name to confirm")
        receipt = await self._acting.confirm(Confirm(proposal_id=proposal.id, typed_name=wanted.typed), peer)
        self._proposal = None
        return events.Sent(intent.key, receipt.id)

    async def _good(self, wanted: Act, peer: Peer) -> Proposal:
        """The proposal that was shown, if it is still good; else a new one."""
        kept = self._proposal
        if kept is None or kept.intent != wanted.intent or fingerprint(kept) != wanted.shown:
            return await self._acting.propose(wanted.intent, peer)
        fresh = kept.valid_until - self._clock.now() > STILL_S and kept.operator == peer.name
        return kept if fresh and kept.verdict.allowed else await self._acting.propose(wanted.intent, peer)

    def _ask(self, proposal: Proposal, print_now: str, words: str) -> events.Shown:
        self._proposal = proposal
        return events.Shown(proposal, print_now, words)

    async def _command(self, wanted: RunCommandStep, session: Session, runbook: Runbook, peer: Peer) -> events.Event:
        name, args = self._eyes.argv(wanted.spec, runbook, session)
        argv = self._acting.command_argv(name, args)
        if session.run.dry:
            return events.Impossible(f"would run {' '.join(argv)}")
        before = await self._acting.command_by_key(wanted.key)
        if before is not None and before.outcome is not Outcome.PENDING:
            return _commanded(wanted.key, before)
        if before is None and (no := self._no_right(peer)) is not None:
            return no
        reason = f"{session.run.title}, step {session.run.current}"
        intent = CommandIntent(name=name, args=args, reason=reason, via="runbook", key=wanted.key)
        return _commanded(wanted.key, await self._acting.command(intent, peer))

    def _no_right(self, peer: Peer) -> events.Refused | None:
        access = self._rights.of(peer)
        if access.level is AccessLevel.OPERATE:
            return None
        return events.Refused(f"{peer.name} may not act now", rights=True)


def fingerprint(proposal: Proposal) -> str:
    """What of a proposal has to be the same for a yes to be good: the plan's calls and the state that it replaces."""
    plan = proposal.plan
    if plan is None:
        return "none"
    said = [plan.generation, [step.op for step in plan.steps], proposal.verdict.needs_name, plan.verb, str(plan.target)]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:32]


def _commanded(key: str, ran: CommandReceipt) -> events.Commanded:
    ok = {Outcome.APPLIED: True, Outcome.FAILED: False}.get(ran.outcome)
    return events.Commanded(key, ran.id, ok, ran.words)
