"""An answer of the journal and the end of who asked may come together: the end wins."""

import asyncio
from concurrent.futures import Future
from pathlib import Path

import pytest

from console.config import Retention
from console.engine.clock import ManualClock
from console.engine.journal import Journal


@pytest.mark.parametrize("turns", range(5))
async def test_a_cancellation_that_comes_with_the_answer_is_not_lost(turns: int, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite", ManualClock(), Retention())
    answer: Future[str] = Future()
    asking = asyncio.create_task(journal._ask(answer, "otherwise"))
    await asyncio.sleep(0)
    answer.set_result("the answer")
    for _ in range(turns):
        await asyncio.sleep(0)
    taken = asking.cancel()
    await asyncio.wait({asking})
    assert asking.cancelled() == taken, "an engine that is told to end would run on"
    assert journal.asking == 0
