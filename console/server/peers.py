"""Who is at the other end of a Unix socket: the kernel's word, never the peer's."""

import asyncio
import os
import socket
import struct
from dataclasses import replace

from console.control.access import Peer
from console.control.accounts import account
from console.domain.errors import Refusal
from console.domain.ports import Clock

_UCRED = struct.Struct("3i")


REMEMBERED_S = 30.0
"""How long an account's name and groups are taken as known."""


class Accounts:
    """Names peers. A directory service that does not answer delays the one who asks, and nobody else."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[tuple[int, int], tuple[float, Peer]] = {}

    async def peer_of(self, connection: socket.socket) -> Peer:
        """The process that connected, as the kernel recorded it at that moment.

        Raises:
            Refusal: this system does not tell, or the connection is no Unix socket.
        """
        option = getattr(socket, "SO_PEERCRED", None)
        if option is None or connection.family != socket.AF_UNIX:
            raise Refusal("this system does not say who connects; the engine needs Linux's SO_PEERCRED", code=403)
        pid, uid, gid = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _UCRED.size))
        now = self._clock.monotonic()
        at, peer = self._known.get((uid, gid)) or (-REMEMBERED_S, None)
        if peer is None or now - at >= REMEMBERED_S:
            peer = await asyncio.to_thread(account, uid, gid, pid)
            self._known[uid, gid] = now, peer
        return replace(peer, pid=pid)


def myself() -> Peer:
    """This process, for an attachment in memory."""
    return account(os.geteuid(), os.getegid(), os.getpid())
