"""What lies on disk of runs: all or nothing, for its owner only, and not for ever."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from console.domain.runbooks import Evidence, EvidenceQuery, RunState
from runbooks import moves
from runbooks.keeping import LOST, Keeping, KeepingError, Kept, Unreadable
from runbooks.session import Session
from tests.unit.runbooks.session.books import NOW, UID, begun, book

LEFT = begun(book({"id": "one", "check": "a"}))


@pytest.fixture
async def keeping(tmp_path: Path) -> AsyncIterator[Keeping]:
    it = Keeping(tmp_path / "runs.sqlite")
    await it.open()
    yield it
    await it.close()


def named(name: str, *, request: str = "", dry: bool = False) -> Session:
    return replace(LEFT, run=replace(LEFT.run, id=name, dry=dry), request=request)


def name(kept: Kept | Unreadable) -> str:
    return kept.run if isinstance(kept, Unreadable) else kept.session.run.id


def evidence(name: str) -> Evidence:
    return Evidence(run=name, step="one", at=NOW, when="before")


async def test_a_run_is_read_back_as_it_was_written(keeping: Keeping, tmp_path: Path) -> None:
    await keeping.begin(named("r1", request="mine"), UID, "text", "book.yaml")
    later = moves.pause(named("r1", request="mine"), "why", NOW + 1)
    await keeping.save(later, [evidence("r1")])
    kept = await keeping.find("r1")
    assert kept is not None
    assert (kept.session, kept.book, kept.path) == (later, "text", "book.yaml")
    assert await keeping.requested("mine", UID) == kept
    assert await keeping.requested("mine", UID + 1) is None
    assert await keeping.evidence(EvidenceQuery(run="r1", step="one")) == (evidence("r1"),)
    assert (tmp_path / "runs.sqlite").stat().st_mode & 0o777 == 0o600


async def test_one_account_begins_one_run_under_a_request(keeping: Keeping) -> None:
    await keeping.begin(named("r1", request="mine"), UID, "", "")
    with pytest.raises(KeepingError, match="UNIQUE"):
        await keeping.begin(named("r2", request="mine"), UID, "", "")
    await keeping.begin(named("r3", request="mine"), UID + 1, "", "")


async def test_what_ended_long_ago_is_forgotten_and_what_goes_on_is_not(keeping: Keeping) -> None:
    for one, dry in (("old", False), ("dry", True), ("new", False)):
        await keeping.begin(named(one, dry=dry), UID, "", "")
    for one, dry, at in (("old", False, NOW - 1000), ("dry", True, NOW - 100), ("new", False, NOW - 100)):
        await keeping.save(moves.end(named(one, dry=dry), RunState.SUCCEEDED, "", at), [evidence(one)])
    await keeping.begin(named("going"), UID, "", "")
    await keeping.forget(NOW - 500, NOW - 50)
    assert [name(kept) for kept in await keeping.at_start(0.0)] == ["new", "going"]
    assert await keeping.evidence(EvidenceQuery(run="old")) == ()
    assert await keeping.evidence(EvidenceQuery(run="new")) == (evidence("new"),)


async def test_a_file_that_cannot_be_used_is_named_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite"
    it = Keeping(path)
    with pytest.raises(KeepingError, match="it is not open"):
        await it.find("r1")
    connection = sqlite3.connect(path)
    connection.execute("pragma user_version = 99")
    connection.close()
    with pytest.raises(KeepingError, match="newer switchgear"):
        await it.open()
    path.write_bytes(b"no database at all, but longer than a header" * 30)
    with pytest.raises(KeepingError, match=str(path)):
        await Keeping(path).open()


async def test_of_a_write_that_fails_nothing_is_there(keeping: Keeping, tmp_path: Path) -> None:
    await keeping.begin(named("r1"), UID, "", "")
    other = sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)
    other.execute("drop table evidence")
    with pytest.raises(KeepingError):
        await keeping.save(moves.pause(named("r1"), "why", NOW), [evidence("r1")])
    kept = await keeping.find("r1")
    assert kept is not None
    assert kept.session.run.state is RunState.RUNNING
    other.close()


@pytest.mark.parametrize("text", [b"no JSON", b"\xff\xfe", b"{}", b'{"run": 5}', b"[" * 5000])
async def test_a_row_that_cannot_be_read_keeps_no_other_from_being_read(
    keeping: Keeping, tmp_path: Path, text: bytes
) -> None:
    for one in ("r1", "bad", "r2"):
        await keeping.begin(named(one, request=one), UID, "", f"/books/{one}.yaml")
        await keeping.save(named(one, request=one), [evidence(one)])
    other = sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None)
    other.execute("update runs set session = cast(? as text) where id = 'bad'", (text,))
    other.execute("update evidence set body = cast(? as text) where run = 'bad'", (text,))
    left = await keeping.at_start(0.0)
    assert [name(one) for one in left] == ["r1", "bad", "r2"]
    assert isinstance(left[1], Unreadable)
    assert left[1].uid == UID
    for ask in (keeping.find("bad"), keeping.requested("bad", UID)):
        with pytest.raises(
            KeepingError, match=r"run bad of bad cannot be read back .* `switchgear audit --action bad`"
        ):
            await ask
    assert [one.when for one in await keeping.evidence(EvidenceQuery(run="bad"))] == [LOST]
    assert not await keeping.add_picture("bad", "one", "<svg/>")
    await keeping.give_up("bad", NOW)
    await keeping.forget(NOW - 1, NOW)
    assert [name(one) for one in await keeping.at_start(NOW - 1)] == ["r1", "bad", "r2"]
    assert [name(one) for one in await keeping.at_start(NOW + 1)] == ["r1", "bad", "r2"], "it was the last to end"
    assert other.execute("select cast(session as blob) from runs where id = 'bad'").fetchone() == (text,)
    await keeping.forget(NOW + 1, NOW)
    assert [name(one) for one in await keeping.at_start(0.0)] == ["r1", "r2"]
    other.close()
