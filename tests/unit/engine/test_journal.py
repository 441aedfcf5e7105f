"""The journal outlives its engine, and no trouble with its file ever reaches the engine."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from console.config import Retention
from console.domain.alerts import Alert, AlertState, Severity
from console.domain.wire import HistoryQuery, LogKind, LogQuery
from console.engine.clock import ManualClock
from console.engine.journal import Journal, JournalTooNew
from console.engine.journal.retention import upkeep
from console.engine.journal.schema import connect
from console.engine.journal.writer import BATCHES_WAITING, RETRY_S
from console.engine.store import Store
from tests.unit.engine.parts import ref

DAY_S = 86400.0


class Kept:
    """An open journal behind a store."""

    def __init__(self, journal: Journal, store: Store, clock: ManualClock) -> None:
        self.journal = journal
        self.store = store
        self.clock = clock

    async def words(self) -> list[str]:
        return [entry.words for entry in await self.journal.log(LogQuery())]

    async def hears(self, words: str) -> str:
        """The line with these words, once the journal has said it."""
        for _ in range(500):
            for entry in self.store.board.log:
                if words in entry.words:
                    return entry.words
            await asyncio.sleep(0.01)
        raise AssertionError(f"never said: {words}; said: {[entry.words for entry in self.store.board.log]}")


@asynccontextmanager
async def opened(
    path: Path, clock: ManualClock | None = None, retention: Retention | None = None
) -> AsyncIterator[Kept]:
    clock = clock or ManualClock()
    journal = Journal(path, clock, retention or Retention())
    await journal.open()
    store = Store("test", clock, first_log_id=journal.next_log_id())
    journal.listen(store)
    try:
        yield Kept(journal, store, clock)
    finally:
        await journal.close()


def alert(state: AlertState = AlertState.FIRING, rule: str = "rule", at: float = 1.0) -> Alert:
    return Alert(
        rule=rule, ref=ref(), severity=Severity.PAGE, state=state, since=at, words="bad", acknowledged_by="ada"
    )


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


async def test_lines_survive_and_numbers_go_on(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with opened(path) as kept:
        kept.store.say(LogKind.ENGINE, "one")
        kept.store.say(LogKind.SOURCE, "two", ref=ref())
    async with opened(path) as kept:
        assert kept.journal.next_log_id() == 3
        kept.store.say(LogKind.ENGINE, "three")
        assert await kept.words() == ["three", "two", "one"]
        page = await kept.journal.log(LogQuery(before_id=3, limit=1))
        assert [entry.words for entry in page] == ["two"]
        of_object = await kept.journal.log(LogQuery(ref=ref()))
        assert [entry.words for entry in of_object] == ["two"]


async def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with opened(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_alerts_that_were_not_resolved_are_given_back_with_their_marks(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with opened(path) as kept:
        kept.store.publish(alerts=[alert(rule="a"), alert(rule="b")])
        kept.store.publish(alerts=[alert(AlertState.RESOLVED, rule="b")])
    async with opened(path) as kept:
        assert await kept.journal.alerts() == (alert(rule="a"),)


async def test_means_come_back_as_history(tmp_path: Path) -> None:
    async with opened(tmp_path / "journal.db") as kept:
        start = kept.clock.now()
        for slot in range(20):
            kept.journal.keep(start + 30.0 * slot, [(ref(), "p50_s", float(slot)), (ref("other"), "p50_s", 9.0)])
        kept.clock._now = start + 599.0
        past = await kept.journal.history(HistoryQuery(ref=ref(), window_s=600.0, points=10))
        assert past.series == {"p50_s": tuple(slot * 2 + 0.5 for slot in range(10))}


class TestTrouble:
    async def test_a_corrupt_file_is_set_aside_and_not_deleted(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        path.write_bytes(b"this is no database" * 1000)
        async with opened(path) as kept:
            said = await kept.hears("set aside")
            kept.store.say(LogKind.ENGINE, "goes on")
            assert "goes on" in await kept.words()
        aside = [other for other in tmp_path.iterdir() if "corrupt" in other.name and other.suffix != ".log"]
        assert aside[0].read_bytes().startswith(b"this is no database")
        assert aside[0].name in said

    async def test_a_file_that_breaks_while_it_is_used_loses_no_line(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        async with opened(path) as kept:
            for number in range(3000):
                kept.store.say(LogKind.ENGINE, f"line {number} " + "x" * 200)
            await kept.words()
        size = path.stat().st_size
        with path.open("r+b") as file:  # the tables' pages, not the header: the file still opens
            file.seek(4096 * 2)
            file.write(b"\xff" * (size - 4096 * 2))
        async with opened(path) as kept:
            kept.store.say(LogKind.ENGINE, "after the break")
            await kept.hears("set aside")
            assert "after the break" in await kept.words()
        assert any("corrupt" in other.name for other in tmp_path.iterdir())

    async def test_a_locked_file_is_waited_for_in_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("console.engine.journal.schema.BUSY_S", 0.05)
        path = tmp_path / "journal.db"
        async with opened(path):
            pass
        lock = sqlite3.connect(path, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        async with opened(path) as kept:
            kept.store.say(LogKind.ENGINE, "while locked")
            await kept.hears("cannot be written")
            assert "while locked" in await kept.words()
            lock.execute("ROLLBACK")
            lock.close()
            kept.clock._now += RETRY_S + 1
            kept.store.say(LogKind.ENGINE, "after")
            await kept.hears("can be written again")
            await kept.words()
        kept_words = [str(row[0]) for row in rows(path, "SELECT body FROM log ORDER BY id")]
        assert any("while locked" in body for body in kept_words)
        assert any('"after"' in body for body in kept_words)

    async def test_a_full_disk_is_said_once_and_nothing_ends(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        async with opened(path) as kept:
            kept.store.say(LogKind.ENGINE, "first")
            await kept.words()
            # SQLite's own limit gives the very error of a full disk.
            limit = kept.journal._writer.ask(
                lambda file: file.connection.execute("PRAGMA max_page_count=1").fetchone(), lambda: None
            )
            await asyncio.wrap_future(limit)
            for number in range(200):
                kept.store.say(LogKind.ENGINE, f"line {number} " + "x" * 300)
            said = await kept.hears("cannot be written")
            assert "full" in said
            kept.clock._now += RETRY_S + 1
            kept.store.say(LogKind.ENGINE, "there is room again")
            await kept.hears("can be written again")
            assert sum("cannot be written" in entry.words for entry in kept.store.board.log) == 1
            await kept.words()
        assert rows(path, "SELECT count(*) FROM log") == [(204,)]

    async def test_a_place_that_cannot_be_written_leaves_an_engine_in_memory(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("no directory")
        async with opened(tmp_path / "file" / "journal.db") as kept:
            kept.store.say(LogKind.ENGINE, "kept in memory")
            await kept.hears("cannot be written")
            assert "kept in memory" in await kept.words()
            assert await kept.journal.alerts() == ()
            assert (await kept.journal.history(HistoryQuery(ref=ref()))).series == {}
            assert kept.journal.next_log_id() > 10**12  # beyond any number that the file may hold

    async def test_a_newer_file_is_refused_with_the_way_out_and_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        async with opened(path):
            pass
        change = sqlite3.connect(path)
        change.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('journal', 'm999', '')"
        )
        change.commit()
        change.close()
        before = path.read_bytes()
        journal = Journal(path, ManualClock(), Retention())
        with pytest.raises(JournalTooNew, match=r"m999.*update switchgear, or move the file away"):
            await journal.open()
        assert path.read_bytes() == before

    async def test_means_are_left_out_when_the_disk_cannot_follow_and_lines_are_not(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        async with opened(path) as kept:
            stopped = asyncio.Event()
            loop = asyncio.get_running_loop()

            def hold(_: object) -> None:
                asyncio.run_coroutine_threadsafe(stopped.wait(), loop).result()

            held = kept.journal._writer.ask(hold, lambda: None)
            await asyncio.sleep(0.05)
            for slot in range(BATCHES_WAITING + 15):
                kept.journal.keep(1_800_000_000.0 + 30 * slot, [(ref(), "p50_s", 1.0)])
                kept.store.say(LogKind.ENGINE, f"line {slot}")
            await kept.hears("cannot keep up")
            stopped.set()
            await asyncio.wrap_future(held)
            kept.store.say(LogKind.ENGINE, "later")
            assert "15 means" in await kept.hears("left out 15 means")
            await kept.words()
        assert rows(path, "SELECT count(*) FROM samples") == [(BATCHES_WAITING,)]
        assert rows(path, "SELECT count(*) FROM log WHERE body LIKE '%line %'") == [(BATCHES_WAITING + 15,)]

    async def test_what_was_answered_for_is_there_after_a_kill(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        code = f"""
            import asyncio, os, signal
            from pathlib import Path
            from console.config import Retention
            from console.domain.wire import LogKind, LogQuery
            from console.engine.clock import ManualClock
            from console.engine.journal import Journal
            from console.engine.store import Store

            async def main():
                clock = ManualClock()
                journal = Journal(Path({str(path)!r}), clock, Retention())
                await journal.open()
                store = Store("x", clock, first_log_id=journal.next_log_id())
                journal.listen(store)
                for number in range(500):
                    store.say(LogKind.ENGINE, f"line {{number}}")
                await journal.log(LogQuery())
                os.kill(os.getpid(), signal.SIGKILL)

            asyncio.run(main())
        """
        done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", textwrap.dedent(code)], check=False)
        assert done.returncode == -9
        async with opened(path) as kept:
            assert kept.journal.next_log_id() == 501


class TestRetention:
    def run(self, path: Path, retention: Retention, now: float) -> None:
        connection = connect(path)
        for _ in upkeep(connection, retention, now):
            pass
        connection.close()

    def fill(self, path: Path, start: int, hours: int, value: Callable[[int], float]) -> None:
        connection = connect(path)
        with connection:
            connection.execute("INSERT OR IGNORE INTO series (id, ref, metric) VALUES (1, ?, 'p50_s')", (str(ref()),))
            connection.executemany(
                "INSERT INTO samples VALUES (1, ?, ?)",
                [(ts, value(ts)) for ts in range(start, start + hours * 3600, 30)],
            )
        connection.close()

    def test_means_grow_coarser_and_keep_their_mean(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        start = 1_800_000_000
        self.fill(path, start, 5, lambda ts: float((ts - start) // 3600))
        self.run(path, Retention(), start + 5 * 3600 + 60.0)
        assert rows(path, "SELECT count(*) FROM minutes") == [(60,)]
        assert rows(path, "SELECT mean FROM hours ORDER BY ts") == [(float(hour),) for hour in range(5)]

    def test_rounds_follow_each_other_without_a_seam(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        start = 1_800_000_000
        for hour in range(12):
            self.fill(path, start + hour * 3600, 1, lambda ts: 1.0)
            for minute in (7, 22, 60):
                self.run(path, Retention(), start + hour * 3600 + minute * 60.0)
        assert rows(path, "SELECT count(*), min(mean), max(mean) FROM hours") == [(11, 1.0, 1.0)]
        (count,) = rows(path, "SELECT count(*) FROM samples")[0]
        assert isinstance(count, int)
        assert count <= 6 * 120 + 120

    def test_the_old_goes(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        start = 1_800_000_000
        self.fill(path, start, 2, lambda ts: 1.0)
        connection = connect(path)
        with connection:
            connection.executemany(
                "INSERT INTO log VALUES (?, ?, NULL, '{}')",
                [(number, start + (0.0 if number <= 2500 else 10 * DAY_S)) for number in range(1, 3001)],
            )
            connection.execute("INSERT INTO alerts VALUES ('a', 'resolved', ?, '{}')", (start,))
            connection.execute("INSERT INTO alerts VALUES ('b', 'firing', ?, '{}')", (start,))
        connection.close()
        retention = Retention(raw=3600, minutes=DAY_S, hours=5 * DAY_S, events=5 * DAY_S)
        self.run(path, retention, start + 2 * 3600 + 60.0)
        assert rows(path, "SELECT count(*) > 0 FROM minutes") == [(1,)]
        self.run(path, retention, start + 10 * DAY_S)
        for table in ("samples", "minutes", "hours"):
            assert rows(path, f"SELECT count(*) FROM {table}") == [(0,)]
        assert rows(path, "SELECT count(*) FROM log") == [(500,)]
        assert rows(path, "SELECT id FROM alerts") == [("b",)]

    async def test_a_month_is_answered_from_what_is_left_of_it(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        start = 1_800_000_000
        for hour in range(48):
            self.fill(path, start + hour * 3600, 1, lambda ts: 2.0)
            self.run(path, Retention(raw=3600, minutes=6 * 3600), start + (hour + 1) * 3600 + 60.0)
        async with opened(path, ManualClock(start + 48 * 3600.0 + 60.0)) as kept:
            past = await kept.journal.history(HistoryQuery(ref=ref(), window_s=3 * DAY_S, points=36))
            seen = past.series["p50_s"]
            assert seen[-25:-1] == (2.0,) * 24
            assert seen[0] is None

    async def test_upkeep_happens_by_itself(self, tmp_path: Path) -> None:
        path = tmp_path / "journal.db"
        start = 1_800_000_000
        self.fill(path, start, 1, lambda ts: 1.0)
        async with opened(path, ManualClock(start + 7200.0)) as kept:
            kept.journal.tick()
            for _ in range(200):
                if rows(path, "SELECT count(*) FROM minutes") == [(12,)]:
                    return
                await asyncio.sleep(0.01)
        raise AssertionError("no upkeep")
