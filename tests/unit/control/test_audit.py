import asyncio
import itertools
import sqlite3
from pathlib import Path

import pytest

from console.control.audit import GENESIS, Audit, AuditError, Entry
from console.domain.wire import AuditQuery
from console.engine.clock import ManualClock


async def filled(path: Path, count: int = 5) -> Audit:
    audit = Audit(path, ManualClock())
    await audit.open()
    for number in range(count):
        await audit.append("intent", f"a{number % 2}", "alice", {"n": number})
    return audit


def edit(path: Path, *statements: str) -> None:
    """Change the file as someone with an editor and no respect would."""
    with sqlite3.connect(path) as db:
        for verb in ("update", "delete"):
            db.execute(f"drop trigger if exists audit_no_{verb}")
        for statement in statements:
            db.execute(statement)
    db.close()


async def test_rows_chain_and_the_chain_holds(tmp_path: Path) -> None:
    audit = await filled(tmp_path / "audit.db")
    rows = await audit.page(AuditQuery())
    assert [row.seq for row in rows] == [5, 4, 3, 2, 1]
    assert rows[-1].previous == GENESIS
    assert all(newer.previous == older.hash for newer, older in itertools.pairwise(rows))
    report = await audit.verify()
    assert report.holds
    assert report.rows == 5
    await audit.close()


async def test_a_row_is_on_disk_when_append_returns(tmp_path: Path) -> None:
    audit = await filled(tmp_path / "audit.db", 1)
    with sqlite3.connect(tmp_path / "audit.db") as other:
        assert other.execute("select event, body from audit").fetchall() == [("intent", '{"n":0}')]
    other.close()
    await audit.close()


async def test_the_chain_goes_on_after_a_restart(tmp_path: Path) -> None:
    await (await filled(tmp_path / "audit.db", 3)).close()
    audit = await filled(tmp_path / "audit.db", 2)
    report = await audit.verify()
    assert (report.holds, report.rows) == (True, 5)
    await audit.close()


@pytest.mark.parametrize(
    ("statement", "broken_at", "word"),
    [
        ("update audit set body = '{\"n\":99}' where seq = 3", 3, "changed"),
        ("update audit set at = at + 1 where seq = 2", 2, "changed"),
        ("update audit set operator = 'mallory' where seq = 1", 1, "changed"),
        ("delete from audit where seq = 2", 2, "missing"),
        ("delete from audit where seq = 1", 1, "missing"),
        ("delete from audit where seq > 3", 4, "cut off"),
        ("delete from audit", 1, "cut off"),
    ],
)
async def test_verify_names_the_first_broken_row(tmp_path: Path, statement: str, broken_at: int, word: str) -> None:
    await (await filled(tmp_path / "audit.db")).close()
    edit(tmp_path / "audit.db", statement)
    audit = Audit(tmp_path / "audit.db", ManualClock())
    await audit.open()
    report = await audit.verify()
    assert not report.holds
    assert report.broken_at == broken_at
    assert word in report.words
    await audit.close()


async def test_a_chain_that_was_rewritten_as_a_whole_does_not_fit_its_head(tmp_path: Path) -> None:
    await (await filled(tmp_path / "one.db")).close()
    other = Audit(tmp_path / "two.db", ManualClock())
    await other.open()
    for number in range(5):
        await other.append("intent", "a0", "mallory", {"n": number})
    await other.close()
    (tmp_path / "two.db.head").write_text((tmp_path / "one.db.head").read_text())
    audit = Audit(tmp_path / "two.db", ManualClock())
    await audit.open()
    assert (await audit.verify()).broken_at == 5
    await audit.close()


async def test_a_head_that_lags_behind_is_no_error(tmp_path: Path) -> None:
    audit = await filled(tmp_path / "audit.db", 2)
    head = (tmp_path / "audit.db.head").read_text()
    await audit.append("intent", "a", "alice", None)
    (tmp_path / "audit.db.head").write_text(head)
    assert (await audit.verify()).holds
    await audit.close()


async def test_the_file_itself_refuses_to_change_or_delete(tmp_path: Path) -> None:
    await (await filled(tmp_path / "audit.db")).close()
    with sqlite3.connect(tmp_path / "audit.db") as db:
        for statement in ("update audit set body = ''", "delete from audit"):
            with pytest.raises(sqlite3.IntegrityError, match="only grows"):
                db.execute(statement)
    db.close()


async def test_pages_go_back_and_can_be_of_one_action(tmp_path: Path) -> None:
    audit = await filled(tmp_path / "audit.db")
    assert [row.seq for row in await audit.page(AuditQuery(limit=2))] == [5, 4]
    assert [row.seq for row in await audit.page(AuditQuery(limit=2, before_seq=4))] == [3, 2]
    assert [row.seq for row in await audit.page(AuditQuery(action_id="a1"))] == [4, 2]
    await audit.close()


async def test_several_rows_are_written_all_or_none(tmp_path: Path) -> None:
    audit = await filled(tmp_path / "audit.db", 1)
    await audit.append_all([Entry("override", "a", "bob", 1), Entry("done", "a", "bob", 2)])
    assert [row.event for row in await audit.page(AuditQuery())] == ["done", "override", "intent"]
    await audit.close()


async def test_appends_at_once_are_put_in_a_row(tmp_path: Path) -> None:
    audit = await filled(tmp_path / "audit.db", 0)
    await asyncio.gather(*(audit.append("intent", str(n), "alice", n) for n in range(40)))
    report = await audit.verify()
    assert (report.rows, report.holds) == (40, True)
    await audit.close()


async def test_a_log_that_cannot_be_written_says_so_and_writes_nothing(tmp_path: Path) -> None:
    audit = await filled(tmp_path / "audit.db", 1)
    blocker = sqlite3.connect(tmp_path / "audit.db", isolation_level=None)
    blocker.execute("alter table audit rename to gone")
    with pytest.raises(AuditError, match=r"audit\.db"):
        await audit.append("intent", "a", "alice", None)
    blocker.execute("alter table gone rename to audit")
    blocker.close()
    await audit.append("intent", "a", "alice", None)
    report = await audit.verify()
    assert (report.rows, report.holds) == (2, True)
    await audit.close()


async def test_a_closed_or_foreign_file_is_an_audit_error(tmp_path: Path) -> None:
    audit = await filled(tmp_path / "audit.db", 1)
    await audit.close()
    with pytest.raises(AuditError):
        await audit.append("intent", "a", "alice", None)
    (tmp_path / "text.db").write_text("this is no database, whatever its name says\n" * 50)
    with pytest.raises(AuditError, match="not a database"):
        await Audit(tmp_path / "text.db", ManualClock()).open()


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    await (await filled(tmp_path / "audit.db", 1)).close()
    edit(
        tmp_path / "audit.db",
        "insert into _sqlite_migrations (migration_set, name, applied_at) values ('audit', 'second', '2030')",
    )
    with pytest.raises(AuditError, match="newer version"):
        await Audit(tmp_path / "audit.db", ManualClock()).open()


async def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    audit = await filled(tmp_path / "audit.db", 1)
    assert (tmp_path / "audit.db").stat().st_mode & 0o077 == 0
    await audit.close()


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefghijklmnop1234",
        "Bearer abcdefgh.ijkl",
        "postgres://me:hunter2@db/x",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig",
    ],
)
async def test_what_looks_like_a_credential_is_not_written(tmp_path: Path, secret: str) -> None:
    audit = await filled(tmp_path / "audit.db", 0)
    row = await audit.append("intent", "a", "alice", {"reason": f"key {secret} is burnt"})
    assert secret not in row.body
    assert "redacted" in row.body
    assert "hunter2" not in row.body
    assert (await audit.verify()).holds
    await audit.close()
