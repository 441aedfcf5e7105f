"""Runs in a whole engine: begun, followed, dropped and taken up again."""

from pathlib import Path

from console.domain.runbooks import EvidenceQuery, Run, RunOrder, RunState, StartRun, StepState
from console.engine.clock import ManualClock
from tests.unit.runbooks.session.engine import DEPLOYMENT, TRIP, Engine, engine


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
