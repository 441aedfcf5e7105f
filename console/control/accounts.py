"""Accounts of this machine, with their groups, as its user database has them."""

import grp
import os
import pwd

from console.control.access import Peer


def account_of(uid: int) -> Peer:
    """An account that is not connected: who holds a run that an engine before has begun. Its process is none (0)."""
    try:
        gid = pwd.getpwuid(uid).pw_gid
    except KeyError:
        return Peer(uid, -1, 0, f"uid-{uid}", frozenset())
    return account(uid, gid, 0)


def account(uid: int, gid: int, pid: int) -> Peer:
    """An account by its numbers, with its name and groups as this machine knows them."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return Peer(uid, gid, pid, f"uid-{uid}", _names({gid}))
    return Peer(uid, gid, pid, name, _names({gid, *os.getgrouplist(name, gid)}))


def _names(groups: set[int]) -> frozenset[str]:
    found = set()
    for group in groups:
        try:
            found.add(grp.getgrgid(group).gr_name)
        except KeyError:
            continue
    return frozenset(found)
