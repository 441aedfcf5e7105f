"""A game's score as lines for a person."""

from collections.abc import Iterator

from console.domain.durations import words_of as long
from console.domain.games import Harm, Score
from console.domain.text import clean

GOOD, FAIR = 0.9, 0.5
"""Parts of what could be spared, from which on a game went well, and not badly."""


def words_of(score: Score) -> Iterator[str]:
    """What it was, how long everything took, what it cost, and which of the actions helped."""
    yield f"It was {score.game.scenario}: {clean(score.summary, 300)}"
    yield f"Culprit: {clean(score.culprit, 80) or 'nobody, nothing was broken'}"
    yield f"What helps: {'; or '.join(clean(words, 200) for words in score.answer) or 'nothing has to be done'}"
    for trap in score.traps:
        yield f"What does not: {clean(trap, 200)}"
    yield ""
    yield f"From its onset the game lasted {long(score.lasted_s)}, {score.game.speed:g} times as fast as life."
    for what, seconds in (
        ("the console told of it", score.told_s),
        ("you acknowledged or acted", score.noticed_s),
        ("the first right action", score.right_s),
        ("all was as before", score.recovered_s),
    ):
        when = "never" if seconds is None else f"after {long(seconds)}" if seconds else "at once"
        yield f"  {what:<28}{when}"
    yield ""
    yield f"  {'':<28}{'failed':>9}{'wrong':>9}{'slow':>9}{'job hours':>11}{'$':>9}"
    yield _row("as you played it", score.harm)
    yield _row("nobody does anything", score.nothing)
    if score.reference is not None:
        yield _row("one who knows, after 5 min", score.reference)
    else:
        yield "  The console has no action that helps here: what helps is done elsewhere."
    yield ""
    for deed in score.deeds:
        worth = _worth(deed.right, deed.trap, deed.cost)
        yield f"  after {long(max(0.0, deed.after_s)):<10}{clean(deed.words, 100)}: {worth}"
    yield _verdict(score)
    game = score.game
    yield f"Again: switchgear gameday --scenario {game.scenario} --seed {game.seed} --speed {game.speed:g}"


def _row(name: str, harm: Harm) -> str:
    numbers = f"{harm.failed:>9,.0f}{harm.wrong:>9,.0f}{harm.slow:>9,.0f}{harm.job_hours:>11,.1f}{harm.usd:>9,.2f}"
    return f"  {name:<28}{numbers}"


def _worth(right: bool, trap: bool, cost: float | None) -> str:
    if right:
        return "right"
    word = "a trap" if trap else "not what helps"
    if cost is None:
        return word
    if cost > 1:
        return f"{word}; it brought {cost:,.0f} bad requests more"
    return f"{word}; it spared {-cost:,.0f} bad requests all the same" if cost < -1 else f"{word}; it changed nothing"


def _verdict(score: Score) -> str:
    if score.saved is None:
        worse = score.harm.requests - score.nothing.requests
        if worse > 10:
            return f"Nothing could be spared, and {worse:,.0f} bad requests came from what was done."
        return "Nothing could be spared by acting, and nothing was made worse."
    part = f"{max(-9.99, score.saved):.0%} of what could be spared was spared"
    if score.saved >= GOOD:
        return f"Well done: {part}."
    return (
        f"Not bad: {part}."
        if score.saved >= FAIR
        else f"{part}."
        if score.saved >= 0
        else f"Worse than nothing: {part}."
    )
