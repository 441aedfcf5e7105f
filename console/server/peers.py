"""Who is at the other end of a Unix socket: the kernel's word, never the peer's."""

import grp
import os
import pwd
import socket
import struct

from console.control.access import Peer
from console.domain.errors import Refusal

_UCRED = struct.Struct("3i")


def peer_of(connection: socket.socket) -> Peer:
    """The process that connected, as the kernel recorded it at that moment.

    Raises:
        Refusal: this system does not tell, or the connection is no Unix socket.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None or connection.family != socket.AF_UNIX:
        raise Refusal("this system does not say who connects; the engine needs Linux's SO_PEERCRED", code=403)
    pid, uid, gid = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, option, _UCRED.size))
    return account(uid, gid, pid)


def account(uid: int, gid: int, pid: int) -> Peer:
    """An account by its numbers, with its name and groups as this machine knows them."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return Peer(uid, gid, pid, f"uid-{uid}", _names({gid}))
    return Peer(uid, gid, pid, name, _names({gid, *os.getgrouplist(name, gid)}))


def myself() -> Peer:
    """This process, for an attachment in memory."""
    return account(os.geteuid(), os.getegid(), os.getpid())


def _names(groups: set[int]) -> frozenset[str]:
    found = set()
    for group in groups:
        try:
            found.add(grp.getgrgid(group).gr_name)
        except KeyError:
            continue
    return frozenset(found)
