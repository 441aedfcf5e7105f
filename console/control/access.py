"""Who may look and who may act: rights from the config, and `operate` granted for a while.

Who is asking is what the kernel says (the socket's peer credentials). Grants live in memory only: an engine that
starts again starts with nobody in `operate`, unless the environment says otherwise.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from console.config import Environment
from console.control.alarm import Alarm
from console.control.audit import Audit, AuditError
from console.domain.errors import Refusal
from console.domain.ports import Clock
from console.domain.redact import redact
from console.domain.text import clean
from console.domain.wire import Access, AccessLevel, AccessRequest, LogKind
from console.engine.store import Store


@dataclass(frozen=True, slots=True)
class Peer:
    """A process at the other end of the socket, as the kernel names it."""

    uid: int
    gid: int
    pid: int
    name: str
    """The account's name, or its number when it has none."""
    groups: frozenset[str]
    """The names of the groups that the account is in."""


@dataclass(frozen=True, slots=True)
class _Grant:
    """`operate`, given to one account."""

    operator: str
    until: float
    reason: str


class Grants:
    """The rights on one engine.

    `ceiling` is the most that anybody gets: READ_ONLY makes an engine that only looks, whatever the config allows.
    """

    def __init__(
        self,
        config: Environment,
        clock: Clock,
        audit: Audit,
        store: Store,
        owner_uid: int,
        ceiling: AccessLevel = AccessLevel.OPERATE,
    ) -> None:
        self._config = config
        self._clock = clock
        self._audit = audit
        self._store = store
        self._owner_uid = owner_uid
        self._ceiling = ceiling
        self._granted: dict[int, _Grant] = {}
        self._gave_back: set[int] = set()
        self._alarm = Alarm(clock)

    def of(self, peer: Peer) -> Access:
        """What `peer` may do now. Pure; the clock alone ends a grant."""
        why_not = self._why_not(peer)
        grant = self._grant(peer.uid)
        level = AccessLevel.NONE
        if not why_not and (grant or self._starts_in_operate(peer.uid)):
            level = AccessLevel.OPERATE
        elif self._ceiling is not AccessLevel.NONE and (self._named(peer, self._config.readers) or not why_not):
            level = AccessLevel.READ_ONLY
        held = grant if level is AccessLevel.OPERATE else None
        return Access(
            operator=peer.name,
            uid=peer.uid,
            level=level,
            until=held.until if held else None,
            reason=held.reason if held else "",
            may_operate=not why_not,
            why_not=why_not,
        )

    async def request(self, peer: Peer, request: AccessRequest) -> Access:
        """Grant `operate` for a while, or take it back; audited before it counts.

        Raises:
            Refusal: the account may not operate, gave no reason, or the audit log cannot be written.
        """
        if self.of(peer).level is AccessLevel.NONE:
            raise Refusal(f"{peer.name} may not read this environment", code=403)
        if request.level is AccessLevel.OPERATE:
            await self._give(peer, request)
        else:
            await self._take(peer)
        return self.of(peer)

    async def run(self) -> None:
        """Say on the timeline when a grant ends by the clock; never returns."""
        while True:
            await self._alarm.wait_until(min((grant.until for grant in self._granted.values()), default=None))
            now = self._clock.now()
            for uid, grant in tuple(self._granted.items()):
                if grant.until <= now:
                    del self._granted[uid]
                    self._publish(grant.operator, f"{grant.operator}: operate has ended, read-only again")

    async def _give(self, peer: Peer, request: AccessRequest) -> None:
        why_not = self._why_not(peer)
        if why_not:
            raise Refusal(why_not, code=403)
        reason = clean(redact(request.reason.strip()))
        if not reason:
            raise Refusal("operate needs a reason: it stands in the audit log and in everybody's header", code=400)
        if not (math.isfinite(request.minutes) and request.minutes > 0):
            raise Refusal("operate is asked for a number of minutes above 0", code=400)
        until = self._clock.now() + min(request.minutes * 60.0, self._config.operate_for)
        await self._note(peer, AccessLevel.OPERATE, reason, until)
        self._granted[peer.uid] = _Grant(peer.name, until, reason)
        self._gave_back.discard(peer.uid)
        self._alarm.changed()
        minutes = (until - self._clock.now()) / 60
        self._publish(peer.name, f"{peer.name}: operate for {minutes:.0f} min: {reason}")

    async def _take(self, peer: Peer) -> None:
        if self.of(peer).level is not AccessLevel.OPERATE:
            return
        await self._note(peer, AccessLevel.READ_ONLY, "", None)
        self._granted.pop(peer.uid, None)
        self._gave_back.add(peer.uid)
        self._alarm.changed()
        self._publish(peer.name, f"{peer.name}: operate given back, read-only")

    async def _note(self, peer: Peer, level: AccessLevel, reason: str, until: float | None) -> None:
        body = {"uid": peer.uid, "pid": peer.pid, "level": level, "reason": reason, "until": until}
        try:
            await self._audit.append("access", "", peer.name, body)
        except AuditError as error:
            raise Refusal(f"access stays as it is: {error}", code=503) from error

    def _publish(self, operator: str, words: str) -> None:
        self._store.publish(access=self.holders())
        self._store.say(LogKind.ACCESS, clean(words), operator=operator)

    def holders(self) -> tuple[Access, ...]:
        """Everybody who was granted `operate` and holds it now."""
        return tuple(
            Access(
                operator=grant.operator, uid=uid, level=AccessLevel.OPERATE,
                until=grant.until, reason=grant.reason, may_operate=True,
            )
            for uid in sorted(self._granted)
            if (grant := self._grant(uid))
        )  # fmt: skip

    def _grant(self, uid: int) -> _Grant | None:
        grant = self._granted.get(uid)
        return grant if grant and grant.until > self._clock.now() else None

    def _starts_in_operate(self, uid: int) -> bool:
        return self._config.access == "operate" and uid not in self._gave_back

    def _why_not(self, peer: Peer) -> str:
        """Why `peer` may not operate; empty when it may."""
        if self._ceiling is not AccessLevel.OPERATE:
            return "this engine was started read-only"
        if not self._named(peer, self._config.operators):
            return f"{peer.name} is not among this environment's operators (config: operators)"
        return ""

    def _named(self, peer: Peer, rights: Iterable[str]) -> bool:
        for right in rights:
            if right == "*" or (right == "@owner" and peer.uid == self._owner_uid):
                return True
            if right.startswith("%") and right[1:] in peer.groups:
                return True
            if right == peer.name and not right.startswith(("%", "@")):
                return True
        return False
