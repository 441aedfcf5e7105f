"""Whose turn it is: nothing else is begun while a key is answered, and data gets its turn all the same."""

import asyncio

from console.ui.turns import ANSWER_S, LONGEST_S, Turns


async def test_work_waits_until_a_key_that_has_just_come_is_answered() -> None:
    now, turns = asyncio.get_running_loop().time, Turns()
    typed = now()
    turns.typed(typed)
    await turns.pause()
    assert now() >= typed + ANSWER_S


async def test_a_key_that_comes_during_the_pause_makes_it_longer() -> None:
    loop, turns = asyncio.get_running_loop(), Turns()
    typed: list[float] = []

    def hit() -> None:
        typed.append(loop.time())
        turns.typed(typed[-1])

    hit()
    loop.call_later(ANSWER_S / 2, hit)
    await turns.pause()
    assert len(typed) == 2
    assert loop.time() >= typed[1] + ANSWER_S


async def test_under_a_hand_that_never_rests_work_goes_on() -> None:
    loop, turns = asyncio.get_running_loop(), Turns()

    async def hold_a_key() -> None:
        while True:
            turns.typed(loop.time())
            await asyncio.sleep(0)

    hand = asyncio.create_task(hold_a_key())
    begun = loop.time()
    async with asyncio.timeout(30):
        await turns.pause()
    hand.cancel()
    assert loop.time() >= begun + LONGEST_S


async def test_between_two_pieces_the_thread_that_reads_has_its_turn() -> None:
    loop, turns = asyncio.get_running_loop(), Turns()
    done = loop.run_in_executor(None, turns.typed, loop.time())
    while not done.done():
        await turns.pause()
    await done
