"""The commands that the config names: on record before they start, once a key, and never again by themselves.

A command is not repeatable, and nothing shows whether it did what it does. One whose engine ended meanwhile stays
unknown.
"""

import asyncio
import os
import re
import secrets
from collections.abc import Sequence

import msgspec

from console.config import CommandConfig, Environment
from console.control.access import Grants, Peer
from console.control.audit import Audit, AuditError, Entry
from console.control.keys import Keys, check_key, keyed
from console.control.ledger import RECEIPTS_KEPT, Ledger
from console.control.programs import run_program, why_not
from console.control.rows import RowKind
from console.domain.actions import Outcome
from console.domain.commands import CommandIntent, CommandReceipt
from console.domain.errors import Refusal
from console.domain.ports import Clock
from console.domain.redact import redact
from console.domain.text import clean
from console.domain.wire import AccessLevel, LogKind

LONGEST_ARGUMENT = 500
"""Characters."""
_OPEN = "event = 'command-begun' and action_id not in (select action_id from audit where event = 'command-ended')"
_LOST = "its engine ended in the middle: nobody knows how far it came; look before it is tried again"


class Commands:
    """Runs the commands of one environment. `tasks` is there while the engine runs."""

    def __init__(
        self, config: Environment, audit: Audit, ledger: Ledger, keys: Keys, grants: Grants, clock: Clock
    ) -> None:
        self._config = config
        self._audit = audit
        self._ledger = ledger
        self._keys = keys
        self._grants = grants
        self._clock = clock
        self._receipts: dict[str, CommandReceipt] = {}
        """Key → newest receipt, of this engine's own."""
        self._running: dict[str, asyncio.Future[CommandReceipt]] = {}
        """Key → the answer of a command that has not ended."""
        self.tasks: asyncio.TaskGroup | None = None

    @property
    def pending(self) -> bool:
        """Whether one runs."""
        return bool(self._running)

    def argv(self, name: str, args: Sequence[str]) -> tuple[str, ...]:
        """The program and its arguments; nothing is started.

        Raises:
            Refusal: the config has no such command, or does not allow these arguments.
        """
        config = self._named(name)
        if len(args) > config.arguments:
            raise Refusal(f"command {name} takes at most {config.arguments} arguments, not {len(args)}", code=400)
        for number, argument in enumerate(args):
            pattern = config.patterns[number] if number < len(config.patterns) else ""
            if fault := _fault(argument, pattern, dashes=config.dashes):
                raise Refusal(f"command {name}, argument {number + 1}: {fault}", code=400)
        return (*config.argv, *args)

    async def by_key(self, key: str) -> CommandReceipt | None:
        """What became of the command that was begun under a key; None when none was.

        Raises:
            Refusal: the audit log cannot be read.
        """
        if known := self._receipts.get(key):
            return known
        row = await keyed(self._audit, RowKind.COMMAND_BEGUN, key)
        if row is None:
            return None
        try:
            ended = await self._audit.rows("action_id = ? and event = 'command-ended'", (row.action_id,))
            receipt = msgspec.json.decode((ended or (row,))[-1].body, type=CommandReceipt)
        except (AuditError, msgspec.DecodeError) as error:
            raise Refusal(f"what was done under this key cannot be read: {error}", code=503) from error
        return receipt if ended else _lost(receipt)

    async def run(self, intent: CommandIntent, peer: Peer) -> CommandReceipt:
        """Run a command to its end, in a task of the engine's own; one that was begun under the key is the answer.

        Raises:
            Refusal: nothing was started, and why; or the engine ends while it runs.
        """
        check_key(intent.key)
        if not intent.key:
            raise Refusal("a command needs a key: it is never begun twice", code=400)
        async with self._keys.turn(intent.key):
            known = await self.by_key(intent.key)
            if known is None:
                await self._begin(intent, peer)
            elif (known.intent.name, known.intent.args) != (intent.name, intent.args):
                raise Refusal(f"the key {intent.key} was used for another command: {known.intent.name}", code=409)
        if running := self._running.get(intent.key):
            return await asyncio.shield(running)
        return known or self._receipts[intent.key]

    async def take_up(self) -> None:
        """Say of each command that a predecessor left open that nobody knows what became of it, for good.

        Raises:
            AuditError: the log cannot be read.
        """
        for row in await self._audit.rows(_OPEN):
            try:
                receipt = _lost(msgspec.json.decode(row.body, type=CommandReceipt))
            except msgspec.DecodeError as error:
                self._ledger.say(LogKind.ENGINE, f"audit row {row.seq} cannot be read: {error}", outcome="failed")
                continue
            await self._end(msgspec.structs.replace(receipt, ended_at=self._clock.now()))

    async def _begin(self, intent: CommandIntent, peer: Peer) -> None:
        """Write a command down and set it going."""
        argv = self.argv(intent.name, intent.args)
        who = self._grants.of(peer)
        if who.level is not AccessLevel.OPERATE:
            raise Refusal(f"read-only: {who.why_not or 'ask for operate first, with a reason'}", code=403)
        intent = msgspec.structs.replace(intent, reason=clean(redact(intent.reason.strip()), 300))
        if not intent.reason:
            raise Refusal("a reason is required: whoever comes next has to know why", code=400)
        if fault := why_not(argv[0]):
            raise Refusal(f"command {intent.name}: {fault}", code=409)
        if self.tasks is None:
            raise Refusal("the engine is ending; nothing was done", code=503)
        receipt = CommandReceipt(
            id=secrets.token_hex(6), intent=intent, operator=peer.name, argv=argv, started_at=self._clock.now(),
            words="running",
        )  # fmt: skip
        try:
            await self._ledger.write(receipt.id, peer.name, RowKind.COMMAND_BEGUN, receipt)
        except AuditError as error:
            raise Refusal(f"nothing was done: {error}", code=503) from error
        self._keep(receipt)
        self._running[intent.key] = asyncio.get_running_loop().create_future()
        self.tasks.create_task(self._carry_out(receipt), name=f"command {receipt.id}")

    async def _carry_out(self, receipt: CommandReceipt) -> None:
        """The program, from its start to its last row."""
        answer = self._running[receipt.intent.key]
        try:
            receipt = await self._ran(receipt)
            await self._end(receipt)
            answer.set_result(receipt)
        except Exception as error:  # noqa: BLE001  contained here, said on the timeline, and open in the audit log
            words = f"command {receipt.id}: internal error: {type(error).__name__}: {error}"
            self._ledger.say(LogKind.ENGINE, words, outcome="failed")
        finally:
            self._running.pop(receipt.intent.key)
            if not answer.done():
                answer.set_exception(Refusal(f"command {receipt.intent.name}: {_LOST}", code=503))
                answer.exception()  # the asker may have gone: nobody has to fetch it

    async def _ran(self, receipt: CommandReceipt) -> CommandReceipt:
        config = self._named(receipt.intent.name)
        environment = {name: os.environ[name] for name in config.environment if name in os.environ}
        began = self._clock.monotonic()
        try:
            ended = await run_program(receipt.argv, environment, config.timeout, self._clock)
        except (OSError, ValueError) as error:
            words = clean(f"did not start: {error}", 300)
            return self._ended(receipt, Outcome.FAILED, words)
        words = f"{_how(ended.exit_code)} after {self._clock.monotonic() - began:.1f} s"
        outcome = Outcome.APPLIED if ended.exit_code == 0 else Outcome.FAILED
        return self._ended(receipt, outcome, words, ended.exit_code, ended.output)

    def _ended(
        self, receipt: CommandReceipt, outcome: Outcome, words: str, exit_code: int | None = None, output: str = ""
    ) -> CommandReceipt:
        return msgspec.structs.replace(
            receipt, outcome=outcome, words=words, exit_code=exit_code, output=output, ended_at=self._clock.now()
        )

    async def _end(self, receipt: CommandReceipt) -> None:
        """The last row, and a line on the timeline."""
        await self._ledger.write_after([Entry(RowKind.COMMAND_ENDED, receipt.id, receipt.operator, receipt)])
        self._keep(receipt)
        words = f"command {receipt.intent.name}: {receipt.words}"
        self._ledger.say(LogKind.ACTION, words, operator=receipt.operator, outcome=receipt.outcome)

    def _keep(self, receipt: CommandReceipt) -> None:
        self._receipts[receipt.intent.key] = receipt
        while len(self._receipts) > RECEIPTS_KEPT:
            self._receipts.pop(next(iter(self._receipts)))

    def _named(self, name: str) -> CommandConfig:
        config = self._config.commands.get(name)
        if config is None:
            known = ", ".join(sorted(self._config.commands)) or "none"
            raise Refusal(f"the config names no command {clean(name, 60)}; there are: {known}", code=404)
        return config


def _lost(receipt: CommandReceipt) -> CommandReceipt:
    return msgspec.structs.replace(receipt, outcome=Outcome.UNKNOWN, words=_LOST)


def _how(exit_code: int | None) -> str:
    if exit_code is None:
        return "its time was up, and what it had done by then stays: killed"
    return f"ended by signal {-exit_code}" if exit_code < 0 else f"ended with {exit_code}"


def _fault(argument: str, pattern: str, *, dashes: bool) -> str:
    """Why this is no argument for a command; empty when it is one."""
    shown = clean(argument, 60)
    if len(argument) > LONGEST_ARGUMENT or not argument.isprintable():
        return f"{shown!r} is not printable text of at most {LONGEST_ARGUMENT} characters"
    if argument.startswith("-") and not dashes:
        return f"{shown!r} would be taken for an option; the config does not allow that (dashes)"
    if pattern and not re.fullmatch(pattern, argument):
        return f"{shown!r} does not match {pattern}"
    return ""
