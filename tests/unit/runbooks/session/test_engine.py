"""Runs in a whole engine: begun, followed, dropped and taken up again."""

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from console.control.access import Peer
from console.domain.errors import Refusal
from console.domain.runbooks import EvidenceQuery, Picture, Run, RunOrder, RunsQuery, RunState, StartRun, StepState
from console.engine.clock import ManualClock
from console.server.idle import idle
from runbooks.keeping import Keeping
from tests.unit.runbooks.session.books import begun as begun_run
from tests.unit.runbooks.session.books import book
from tests.unit.runbooks.session.engine import DEPLOYMENT, TRIP, Engine, engine, me

OTHER = Peer(uid=4_000_001, gid=4_000_001, pid=9, name="ana", groups=frozenset())


async def begun(it: Engine, folder: Path, text: str = TRIP, **more: object) -> Run:
    """A run of the runbook in `text`."""
    (folder / "books" / "book.yaml").write_text(text)
    start = StartRun(runbook="trip-one", parameters={"deployment": DEPLOYMENT}, **more)  # type: ignore[arg-type]
    return await it.desk().start_run(start)


async def test_a_run_is_followed_to_its_end(tmp_path: Path) -> None:
    async with engine(tmp_path, ManualClock()) as it:
        run = await begun(it, tmp_path)
        asked = await it.at(run.id, "trip")
        step = asked.steps[0]
        assert step.state is StepState.AWAITING_CONFIRM
        assert step.proposal is not None
        assert step.proposal.plan is not None
        assert not it.receipts("trip")
        await it.order(run.id, RunOrder.CONFIRM, name=DEPLOYMENT)
        asked = await it.at(run.id, "back")
        assert [one.state for one in asked.steps[:3]] == [StepState.SUCCEEDED] * 3
        await it.order(run.id, RunOrder.DONE)
        over = await it.to_end(run.id)
        assert over.state is RunState.SUCCEEDED
        assert it.receipts("trip") == [over.steps[0].action_id]
        kept = await it.desk().evidence(EvidenceQuery(run=run.id, step="trip"))
        assert [one.when for one in kept] == ["before", "after"]
        assert any(reading.ref.name == DEPLOYMENT for reading in kept[0].readings)
        assert "step trip succeeded" in it.said()


async def test_who_may_begin_what_and_how_often(tmp_path: Path) -> None:
    async with engine(tmp_path, ManualClock(), access="read-only", idle_exit=5.0) as it:
        dry = await begun(it, tmp_path, dry=True)
        done = await it.to_end(dry.id)
        assert done.state is RunState.SUCCEEDED
        assert done.steps[0].words.startswith("dry: ")
        assert not it.receipts("trip")
        with pytest.raises(Refusal, match="read-only"):
            await begun(it, tmp_path)
        await it.operate()
        with pytest.raises(Refusal, match="no runbook 'nobody'"):
            await it.desk().start_run(StartRun(runbook="nobody"))
        with pytest.raises(Refusal, match="deployment"):
            await it.desk().start_run(StartRun(runbook="trip-one"))
        run = await begun(it, tmp_path, request="once")
        assert (await begun(it, tmp_path, request="once")).id == run.id
        with pytest.raises(Refusal, match=rf"1 runbook\(s\) \({run.id} of trip-one, .*order RUN abort.* --force"):
            await it.desk().stop("tired")
        await it.clock.advance(2.0)
        page = await it.desk().runs(RunsQuery(since=it.clock.now()))
        assert ([one.id for one in page.runs], page.older) == ([run.id], 1)
        page = await it.desk().runs(RunsQuery(limit=1000))
        assert ([one.id for one in page.runs], page.older) == ([dry.id, run.id], 0)
        assert page.runs[1] == await it.desk().run(run.id), "as it stands now"
        assert len((await it.desk().runs(RunsQuery(limit=1))).runs) == 1
        with pytest.raises(Refusal, match=f"run {run.id} of trip-one has it, held by {me().name}"):
            await begun(it, tmp_path)
        leaving = asyncio.create_task(idle(it.door))
        await it.clock.advance(20.0)
        assert not leaving.done(), "an engine with a run that awaits somebody does not leave"
        await _handed_over(it, run)
        await _changed_on_the_way(it, run, tmp_path)
        await it.until(leaving.done)
        await it.desk().stop("nothing is open")


async def _handed_over(it: Engine, run: Run) -> None:
    """Another operator looks on, takes control, and gives it back by having it taken."""
    await it.at(run.id, "trip")
    await it.operate(OTHER)
    with pytest.raises(Refusal, match="has control"):
        await it.order(run.id, RunOrder.CONFIRM, OTHER, name=DEPLOYMENT)
    assert (await it.order(run.id, RunOrder.TAKE, OTHER)).holder == OTHER.name
    with pytest.raises(Refusal, match=f"{OTHER.name} has control"):
        await it.order(run.id, RunOrder.CONFIRM, name=DEPLOYMENT)
    await it.order(run.id, RunOrder.TAKE)


async def _changed_on_the_way(it: Engine, run: Run, folder: Path) -> None:
    """A file that changes under a run is said, and the run goes on with the one that it began with."""
    await it.order(run.id, RunOrder.PAUSE)
    (folder / "books" / "book.yaml").write_text(TRIP.replace("verb: trip", "verb: reset"))
    await it.order(run.id, RunOrder.RESUME)
    await it.until(lambda: it.live(run.id).state is RunState.PAUSED)
    assert "has changed since it was begun" in it.live(run.id).words
    await it.order(run.id, RunOrder.RESUME)
    await it.at(run.id, "trip")
    await it.order(run.id, RunOrder.CONFIRM, name=DEPLOYMENT)
    await it.at(run.id, "back")
    assert (len(it.receipts("trip")), it.receipts("reset")) == (1, [])
    over = await it.order(run.id, RunOrder.ABORT)
    over = await it.to_end(run.id)
    assert (over.state, over.steps[0].state) == (RunState.ABORTED, StepState.ROLLED_BACK)
    assert not it.runtime.store.board.overrides
    with pytest.raises(Refusal, match="is over"):
        await it.order(run.id, RunOrder.RESUME)


async def test_the_next_engine_takes_a_run_up_with_the_rights_of_its_holder(tmp_path: Path) -> None:
    clock = ManualClock()
    async with engine(tmp_path, clock, access="read-only") as it:
        await it.operate()
        run = await begun(it, tmp_path)
        await it.at(run.id, "trip")
        await it.desk().keep_picture(Picture(run=run.id, step="trip", svg="<svg/>"))
    async with engine(tmp_path, clock, access="read-only") as it:
        assert (await it.desk().run(run.id)).holder == me().name
        assert [one.picture for one in await it.desk().evidence(EvidenceQuery(run=run.id))] == ["<svg/>"]
        with pytest.raises(Refusal, match="read-only"):
            await it.order(run.id, RunOrder.CONFIRM, name=DEPLOYMENT)
        await it.operate()
        await it.at(run.id, "trip")
        await it.order(run.id, RunOrder.CONFIRM, name=DEPLOYMENT)
        await it.at(run.id, "back")
        assert len(it.receipts("trip")) == 1
        assert f"({run.id}), awaiting at trip, is taken up" in it.said()


async def test_a_run_whose_file_this_engine_cannot_read_ends_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    keeping = Keeping(tmp_path / "state" / "runs.sqlite")
    await keeping.open()
    left = begun_run(book({"id": "one", "check": "true"}))
    await keeping.begin(left, me().uid, "of another age", "book.yaml")
    await keeping.close()
    async with engine(tmp_path, ManualClock()) as it:
        run = await it.desk().run(left.run.id)
        assert run.state is RunState.FAILED
        assert "cannot read the file as it began" in run.words
        assert it.live(run.id) == run
        assert "cannot read the file as it began" in it.said()


async def test_a_folder_of_faulty_files_keeps_no_good_one_from_being_followed(tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "bomb.yaml").write_text("a: " + "[" * 500)
    os.mkfifo(tmp_path / "books" / "pipe.yaml")
    async with engine(tmp_path, ManualClock()) as it:
        run = await begun(it, tmp_path, dry=True)
        await it.to_end(run.id)
        assert "runbooks that cannot be followed: bomb.yaml, pipe.yaml; `switchgear runbook lint FILE`" in it.said()
        assert it.said().count("cannot be followed") == 1
        infos = {one.id: one for one in await it.desk().runbooks()}
        assert not infos["trip-one"].faults
        assert "nested too deeply" in infos["bomb"].faults[0]
        assert "a pipe or a device" in infos["pipe"].faults[0]


async def test_a_run_that_cannot_be_read_back_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    keeping = Keeping(tmp_path / "state" / "runs.sqlite")
    await keeping.open()
    file = book({"id": "one", "manual": {"ask": "look"}})
    text = "schemaVersion: 1\nid: book\ntitle: Book\nsteps: [{id: one, manual: {ask: look}}]\n"
    for name in ("r1", "r2"):
        left = begun_run(file)
        left = replace(left, run=replace(left.run, id=name, uid=me().uid))
        await keeping.begin(left, me().uid, text, "/books/mine.yaml")
    await keeping.close()
    other = sqlite3.connect(tmp_path / "state" / "runs.sqlite", isolation_level=None)
    other.execute("update runs set session = '{' where id = 'r1'")
    other.close()
    async with engine(tmp_path, ManualClock()) as it:
        await it.desk().run("r2")
        await it.at("r2", "one")
        lost = it.live("r1")
        assert (lost.state, lost.runbook, lost.holder) == (RunState.FAILED, "mine", me().name)
        assert "run r1 of mine cannot be read back" in lost.words
        assert "`switchgear audit --action r1` lists it; begin it anew" in it.said()
        with pytest.raises(Refusal, match="run r1 of mine cannot be read back"):
            await it.desk().run("r1")
        assert [one.state for one in (await it.desk().runs(RunsQuery())).runs] == [RunState.FAILED, RunState.AWAITING]
        await it.desk().stop("the next one takes it up", force=True)
        assert it.door.stopped.is_set()
        assert (await it.order("r2", RunOrder.DONE)).state is RunState.SUCCEEDED


async def test_the_next_engine_goes_on_with_the_way_back(tmp_path: Path) -> None:
    clock = ManualClock()
    async with engine(tmp_path, clock) as it:
        run = await begun(it, tmp_path)
        await it.at(run.id, "trip")
        await it.order(run.id, RunOrder.CONFIRM, name=DEPLOYMENT)
        await it.at(run.id, "back")
        await it.order(run.id, RunOrder.ABORT)
    async with engine(tmp_path, clock, wait=False) as it:
        await it.desk().run(run.id)
        over = await it.to_end(run.id)
        assert (over.state, over.steps[0].state) == (RunState.ABORTED, StepState.ROLLED_BACK)
        assert "paused" not in it.said()


COMMAND = """
schemaVersion: 1
id: trip-one
title: Say it
parameters:
  deployment: {type: deployment}
steps:
  - id: say
    command: {name: say, args: ["${deployment}"]}
"""


async def test_a_command_runs_once_after_its_yes_and_never_dry(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = tmp_path / "say"
    program.write_text(f'#!/bin/sh\necho "$1" >> {told}\n')
    program.chmod(0o700)
    commands = {"say": {"argv": [str(program)], "arguments": 1}}
    async with engine(tmp_path, ManualClock(), commands=commands) as it:
        dry = await it.to_end((await begun(it, tmp_path, COMMAND, dry=True)).id)
        assert dry.steps[0].words == f"dry: would run {program} {DEPLOYMENT}; not done"
        run = await begun(it, tmp_path, COMMAND)
        assert (await it.at(run.id, "say")).steps[0].words == f"run say {DEPLOYMENT}"
        assert not told.exists()
        await it.order(run.id, RunOrder.CONFIRM)
        over = await it.to_end(run.id)
        assert (over.state, over.steps[0].state) == (RunState.SUCCEEDED, StepState.SUCCEEDED), over.words
        assert told.read_text() == f"{DEPLOYMENT}\n"
