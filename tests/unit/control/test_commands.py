"""Commands of the config's: what may be started, what is heard of it, and that none is begun twice."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from console.control.audit import Entry
from console.domain.actions import Outcome
from console.domain.commands import OUTPUT_KEPT, CommandIntent, CommandReceipt
from console.domain.errors import Refusal
from console.domain.wire import AuditRow
from tests.unit.control.house import ALICE, BOB, House, InlineAudit

KEY = "run-1/index/1"


@asynccontextmanager
async def ready(path: Path, argv: Sequence[str], **config: Any) -> AsyncIterator[House]:
    """A house with the command `it`."""
    h = House(path / "audit.db", commands={"it": {"argv": list(argv)} | config})
    await h.start()
    try:
        yield h
    finally:
        await h.kill()


def shell(script: str) -> tuple[str, ...]:
    """A command whose own words are a script; what a runbook adds is never part of it."""
    return ("/bin/sh", "-c", script, "it")


async def run(h: House, *args: str, key: str = KEY, reason: str = "the index is stale") -> CommandReceipt:
    return await h.control.command(CommandIntent(name="it", args=args, reason=reason, via="runbook", key=key), ALICE)


async def test_a_command_gets_its_arguments_as_they_are_and_nothing_else(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("GIVEN", "yes")
    monkeypatch.setenv("SECRET_TOKEN", "never")
    argv = shell('printf "%s|" "$@"; pwd; env; echo seen on stderr >&2')
    async with ready(tmp_path, argv, arguments=3, environment=["GIVEN", "NOT_SET"]) as h:
        receipt = await run(h, "a b", "$(touch /tmp/x); `id`", "*")
        assert (receipt.outcome, receipt.exit_code) == (Outcome.APPLIED, 0)
        first, *rest = receipt.output.splitlines()
        assert first == "a b|$(touch /tmp/x); `id`|*|/"
        assert {"GIVEN=yes", "seen on stderr"} <= set(rest)
        assert "SECRET_TOKEN" not in receipt.output
        assert "HOME=" not in receipt.output
        assert receipt.argv[:2] == ("/bin/sh", "-c")
        assert await h.events(receipt.id) == ["command-begun", "command-ended"]
        assert await h.control.command_by_key(KEY) == receipt
        assert "command it: ended with 0" in h.said()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("1", "2", "3"), "at most 2 arguments, not 3"),
        (("--force",), "would be taken for an option"),
        (("v1", "two"), "does not match"),
        (("v1\n",), "not printable"),
        (("x" * 501,), "at most 500"),
        (("v1 --force",), "does not match"),
    ],
)
async def test_an_argument_that_the_config_does_not_allow_starts_nothing(
    tmp_path: Path, args: tuple[str, ...], words: str
) -> None:
    mark = tmp_path / "mark"
    async with ready(tmp_path, ["/usr/bin/touch", str(mark)], arguments=2, patterns=["v[0-9]+|-.*|x*", "[0-9]"]) as h:
        with pytest.raises(Refusal, match=words):
            await run(h, *args)
        with pytest.raises(Refusal, match=words):
            h.control.command_argv("it", args)
        assert not mark.exists()
        assert await h.control.command_by_key(KEY) is None
        assert await h.events() == []


async def test_an_option_passes_where_the_config_allows_it(tmp_path: Path) -> None:
    async with ready(tmp_path, ["/bin/echo"], arguments=1, dashes=True) as h:
        assert h.control.command_argv("it", ["--to=3"]) == ("/bin/echo", "--to=3")
        assert (await run(h, "--to=3")).output == "--to=3"


async def test_rights_a_reason_and_a_key_are_asked_for(tmp_path: Path) -> None:
    async with ready(tmp_path, ["/bin/true"], environment=[]) as h:
        with pytest.raises(Refusal, match="reason"):
            await run(h, reason=" ")
        with pytest.raises(Refusal, match="needs a key"):
            await run(h, key="")
        with pytest.raises(Refusal, match="there are: it"):
            await h.control.command(CommandIntent(name="other", reason="r", key=KEY), ALICE)
        assert await h.events() == []
    house = House(tmp_path / "other.db", commands={"it": {"argv": ["/bin/true"]}}, access="read-only")
    await house.start()
    with pytest.raises(Refusal, match="ask for operate"):
        await run(house)
    assert await house.events() == []
    await house.kill()


async def test_a_program_that_everybody_may_change_or_that_is_none_is_not_started(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n")
    async with ready(tmp_path, [str(program)]) as h:
        for mode, words in ((0o644, "is no program"), (0o757, "can be changed by everybody")):
            program.chmod(mode)
            with pytest.raises(Refusal, match=words):
                await run(h)
        program.unlink()
        with pytest.raises(Refusal, match="No such file"):
            await run(h)
        assert await h.events() == []


async def test_how_it_ended_is_told(tmp_path: Path) -> None:
    async with ready(tmp_path, shell('eval "$1"'), arguments=1) as h:
        failed = await run(h, "echo no; exit 3", key="run/a/1")
        assert (failed.outcome, failed.exit_code, failed.output) == (Outcome.FAILED, 3, "no")
        killed = await run(h, "kill -9 $$", key="run/b/1")
        assert (killed.outcome, killed.exit_code) == (Outcome.FAILED, -9)
        assert "ended by signal 9" in killed.words
    async with ready(tmp_path, [str(_unreadable(tmp_path))]) as h:
        receipt = await run(h, key="run/c/1")
        assert (receipt.outcome, receipt.exit_code) == (Outcome.FAILED, None)
        assert "did not start" in receipt.words
        assert await h.events(receipt.id) == ["command-begun", "command-ended"]


def _unreadable(folder: Path) -> Path:
    program = folder / "program"
    program.write_bytes(b"\x7fELF that is none")
    program.chmod(0o755)
    return program


async def test_output_is_clean_short_and_without_credentials(tmp_path: Path) -> None:
    script = r"i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; printf '\033[31mred\tsk-%s\377' "
    async with ready(tmp_path, shell(script + 30 * "a")) as h:
        output = (await run(h)).output
        assert len(output) == OUTPUT_KEPT
        assert "line 2999\n" in output
        assert "line 0\n" not in output
        assert output.splitlines()[-1] == "�[31mred    [redacted]�"
        assert max(len(row.body) for row in await h.audit.rows("1")) < 3 * OUTPUT_KEPT


async def test_at_its_time_it_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"echo begun; sleep 600 & echo $$ $! >{pids}.new; mv {pids}.new {pids}; wait"
    async with ready(tmp_path, shell(script), timeout="30s") as h:
        running = asyncio.ensure_future(run(h))
        await _there(pids)
        busy = [h.control.pending]
        now = await h.control.command_by_key(KEY)
        assert now is not None
        assert now.outcome is Outcome.PENDING
        await h.clock.advance(31)
        receipt = await running
        assert (receipt.outcome, receipt.exit_code, receipt.output) == (Outcome.FAILED, None, "begun")
        assert "its time was up" in receipt.words
        assert [*busy, h.control.pending] == [True, False]
    for pid in pids.read_text().split():
        await _gone(int(pid))


async def test_what_left_its_group_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    """A daemon in a session of its own holds the pipe: it lives on, and the command has ended."""
    pid = tmp_path / "pid"
    away = f"import os,time;open({str(pid)!r},'w').write(str(os.getpid()));time.sleep(600)"
    script = f'setsid {sys.executable} -c "{away}" & while [ ! -s {pid} ]; do sleep 0.02; done; echo done'
    async with ready(tmp_path, shell(script)) as h:
        receipt = await run(h)
        assert (receipt.outcome, receipt.output) == (Outcome.APPLIED, "done")
    os.kill(int(pid.read_text()), 9)


async def test_one_key_is_one_command_however_often_it_is_asked_for(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    async with ready(tmp_path, shell(f"echo $1 >>{mark}"), arguments=1) as h:
        one, other = await asyncio.gather(run(h, "a"), run(h, "a"))
        assert one == other == await run(h, "a")
        with pytest.raises(Refusal, match="used for another command"):
            await run(h, "b")
        await h.kill()
        await h.start()
        assert await run(h, "a") == one, "and in the next engine"
        assert await h.control.command_by_key("run-1/index/2") is None
        assert mark.read_text() == "a\n"


class _MortalAudit(InlineAudit):
    """Ends the engine at one of its writes."""

    def __init__(self, h: House, at: int) -> None:
        super().__init__(h.path, h.clock)
        self._left = at
        self.dead = asyncio.Event()

    async def append_all(self, entries: Sequence[Entry]) -> tuple[AuditRow, ...]:
        await self._instant()
        rows = await super().append_all(entries)
        await self._instant()
        return rows

    async def _instant(self) -> None:
        if self._left == 0:
            self.dead.set()
            await asyncio.Event().wait()  # nothing more comes of this engine
        self._left -= 1


@pytest.mark.parametrize("death", range(5))
async def test_killed_at_every_write_it_is_never_begun_again(tmp_path: Path, death: int) -> None:
    """Before its first row nothing was done; from then on until its last row nobody knows."""
    mark = tmp_path / "mark"
    h = House(tmp_path / "audit.db", commands={"it": {"argv": shell(f"echo x >>{mark}")}})
    audit = _MortalAudit(h, death)
    await h.start(audit)
    asked = asyncio.ensure_future(run(h))
    dead = asyncio.ensure_future(audit.dead.wait())
    await asyncio.wait({asked, dead}, return_when=asyncio.FIRST_COMPLETED)
    await h.kill()
    for task in (asked, dead):
        task.cancel()
        with suppress(asyncio.CancelledError, Refusal):
            await task
    before = mark.read_text().count("x") if mark.exists() else 0
    await h.start()
    known = await h.control.command_by_key(KEY)
    again = await run(h)
    after = mark.read_text().count("x") if mark.exists() else 0
    told = {0: None, 1: Outcome.UNKNOWN, 2: Outcome.UNKNOWN, 3: Outcome.APPLIED, 4: Outcome.APPLIED}[death]
    assert (known.outcome if known else None) is told
    assert again.outcome is (told or Outcome.APPLIED)
    assert (before, after) == {0: (0, 1), 1: (0, 0)}.get(death, (1, 1))
    if told is Outcome.UNKNOWN:
        assert "nobody knows" in h.said()
        assert (await h.events())[-1] == "command-ended", "for good"
    with pytest.raises(Refusal, match="another command"):
        await h.control.command(CommandIntent(name="it", args=("x",), reason="r", key=KEY), BOB)
    await h.kill()


async def test_an_engine_that_ends_takes_its_commands_with_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    async with ready(tmp_path, shell(f"echo $$ >{pids}.new; mv {pids}.new {pids}; sleep 600")) as h:
        asked = asyncio.ensure_future(run(h))
        await _there(pids)
        await h.kill()
        with pytest.raises(Refusal, match="nobody knows how far"):
            await asked
        await _gone(int(pids.read_text()))


async def _there(path: Path) -> None:
    while not path.exists():
        await asyncio.sleep(0.01)


async def _gone(pid: int) -> None:
    """Wait until a process is no more, or is a zombie that its adoptive parent has yet to bury."""
    while True:
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                await asyncio.sleep(0.01)
                continue
        return
