"""Who connects is what the kernel says, and a slow directory service is asked beside the loop."""

import os
import pwd
import socket
from collections.abc import Iterator

import pytest

from console.control.access import Peer
from console.control.accounts import account
from console.domain.errors import Refusal
from console.engine.clock import ManualClock
from console.server import peers
from console.server.peers import REMEMBERED_S, Accounts, myself


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        yield one


async def test_the_peer_is_this_process_with_its_groups(connection: socket.socket) -> None:
    peer = await Accounts(ManualClock()).peer_of(connection)
    assert peer == myself()
    assert (peer.uid, peer.gid, peer.pid) == (os.geteuid(), os.getegid(), os.getpid())
    assert peer.name == pwd.getpwuid(os.geteuid()).pw_name


async def test_an_account_is_looked_up_once_in_a_while(
    connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def noted(uid: int, gid: int, pid: int) -> Peer:
        asked.append(uid)
        return Peer(uid, gid, pid, f"name-{len(asked)}", frozenset())

    monkeypatch.setattr(peers, "account", noted)
    clock = ManualClock()
    accounts = Accounts(clock)
    assert [(await accounts.peer_of(connection)).name for _ in range(3)] == ["name-1"] * 3
    await clock.advance(REMEMBERED_S)
    assert (await accounts.peer_of(connection)).name == "name-2"


def test_an_account_without_a_name_is_called_by_its_number() -> None:
    assert account(4_000_000, 4_000_000, 1) == Peer(4_000_000, 4_000_000, 1, "uid-4000000", frozenset())


async def test_a_connection_that_is_no_unix_socket_is_refused() -> None:
    with socket.socket(socket.AF_INET) as other, pytest.raises(Refusal, match="does not say who connects"):
        await Accounts(ManualClock()).peer_of(other)
