"""What runbooks are tried with: hurried time that waits for threads, and harm by the minute."""

import asyncio
import time

import pytest

from console.domain.errors import ConfigError
from console.domain.games import Harm
from console.runtime.proving.hurried import GRAIN_S, HurriedClock, HurriedLoop, run_hurried
from console.runtime.proving.measure import Diary, Yard, over_sooner, recovered_s, yard
from console.runtime.proving.trial import Case, check


def hurrying(loop: HurriedLoop) -> HurriedClock:
    loop.also_busy = lambda: False
    return HurriedClock(1000.0, loop)


def test_an_hour_passes_at_once_and_timeouts_pass_with_it() -> None:
    async def work(loop: HurriedLoop) -> tuple[float, bool]:
        clock = hurrying(loop)
        late = False
        try:
            async with asyncio.timeout(60.0):
                await clock.sleep(3600.0)
        except TimeoutError:
            late = True
        await clock.sleep(3540.0)
        return clock.now(), late

    assert run_hurried(work) == (1000.0 + 3600.0, True)


def test_who_sleeps_wakes_on_the_grid_in_the_order_of_time() -> None:
    async def work(loop: HurriedLoop) -> list[tuple[str, float]]:
        clock = hurrying(loop)
        woken: list[tuple[str, float]] = []

        async def one(name: str, seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append((name, clock.monotonic()))

        await asyncio.gather(one("b", GRAIN_S + 1.0), one("a", 0.5), one("now", 0.0))
        return woken

    assert run_hurried(work) == [("now", 0.0), ("a", GRAIN_S), ("b", 2 * GRAIN_S)]


def test_no_time_passes_while_a_thread_is_at_work() -> None:
    async def work(loop: HurriedLoop) -> float:
        clock = hurrying(loop)
        asleep = asyncio.ensure_future(clock.sleep(3600.0))
        await asyncio.to_thread(time.sleep, 0.12)
        seen = clock.monotonic()
        await asleep
        return seen

    assert run_hurried(work) == 0.0


CALM = Diary({at: Harm(slow=2.0, usd=7.0) for at in range(40)})


def test_what_gets_well_is_over_when_its_last_bad_minute_is() -> None:
    ill = Diary({at: Harm(failed=100.0 if at >= 5 else 0.0, slow=2.0, usd=7.0) for at in range(40)})
    helped = Diary({at: Harm(failed=100.0 if 5 <= at < 12 else 0.0, slow=2.0, usd=7.0) for at in range(40)})
    assert yard(ill, CALM, 5) is Yard.REQUESTS
    assert recovered_s(ill, ill, CALM, 5) is None
    assert recovered_s(helped, ill, CALM, 5) == 7 * 60.0
    assert recovered_s(CALM, ill, CALM, 5) == 0.0


def test_what_got_well_a_moment_ago_is_not_over_yet() -> None:
    ill = Diary({at: Harm(failed=100.0, slow=2.0, usd=7.0) for at in range(40)})
    late = Diary({at: Harm(failed=100.0 if at < 38 else 0.0, slow=2.0, usd=7.0) for at in range(40)})
    assert recovered_s(late, ill, CALM, 0) is None


def test_who_is_over_it_first_with_less_harm_did_better() -> None:
    ill = Diary({at: Harm(failed=100.0 if at >= 5 else 0.0, slow=2.0, usd=7.0) for at in range(40)})
    helped = Diary({at: Harm(failed=100.0 if 5 <= at < 12 else 0.0, slow=2.0, usd=7.0) for at in range(40)})
    dear = Diary({at: Harm(failed=900.0 if 5 <= at < 12 else 0.0, slow=2.0, usd=7.0) for at in range(40)})
    assert over_sooner(helped, ill, CALM, 5)
    assert not over_sooner(helped.until(14), ill.until(14), CALM.until(14), 5), "two minutes are not for good"
    assert over_sooner(helped.until(16), ill.until(16), CALM.until(16), 5)
    assert not over_sooner(ill, helped, CALM, 5)
    assert not over_sooner(dear, ill, CALM, 5), "it was over, and worse than nothing"


def test_a_little_more_in_all_that_shows_in_no_minute_is_not_what_is_wrong() -> None:
    both = Diary({at: Harm(slow=4.0, usd=21.0) for at in range(40)})
    assert yard(both, CALM, 5) is Yard.MONEY


@pytest.mark.parametrize(
    ("harm", "by"),
    [
        (Harm(slow=2.0, usd=21.0), Yard.MONEY),
        (Harm(slow=2.0, usd=7.0, job_hours=1.0), Yard.JOBS),
        (Harm(slow=2.0, usd=7.0), Yard.NOTHING),
    ],
)
def test_where_requests_are_well_money_and_waiting_show_it(harm: Harm, by: Yard) -> None:
    assert yard(Diary(dict.fromkeys(range(40), harm)), CALM, 5) is by


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (Case(scenario="nonsense"), "there is no scenario 'nonsense'"),
        (Case(scenario="calm", runbook="nonsense"), "there is no runbook 'nonsense'"),
        (Case(scenario="calm", runbook="./nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_what_cannot_be_tried_is_said(case: Case, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        check(case)
