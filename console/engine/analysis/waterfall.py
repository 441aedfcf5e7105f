"""Why an hour costs more than usual: more requests, more tokens for each, or dearer tokens."""

from collections.abc import Mapping
from typing import NamedTuple

from console.domain.analysis import CostStep, CostWaterfall
from console.domain.refs import Ref
from console.domain.text import clean
from console.engine.analysis.past import LAST_DAY, Past

VOLUME, TOKENS, PRICES, REST = "volume", "tokens per request", "price mix", "not explained"
NOTHING = 1e-9


class Flow(NamedTuple):
    """What went through all of it together, usually or now."""

    usd_per_h: float
    requests: float
    """A minute."""
    tokens: float
    """A minute, in and out."""


def waterfall(past: Mapping[Ref, Past]) -> CostWaterfall | None:
    """From the usual hour to this one; None while the usual is not known of anything.

    The steps are exact: volume at the usual tokens and prices, then tokens at the usual prices, then prices. Money of
    which no requests and tokens are counted is the last step.
    """
    known = {ref: one for ref, one in past.items() if one.usual("usd_per_h") is not None}
    if not known:
        return None
    counted = {ref: one for ref, one in known.items() if _is_counted(one)}
    usual, now = _sum(counted, usual=True), _sum(counted, usual=False)
    rest = sum(_change(one, "usd_per_h") for ref, one in known.items() if ref not in counted)
    steps = [*_steps(usual, now, counted)]
    if not counted or abs(rest) > NOTHING:
        steps.append(CostStep(name=REST, usd_per_h=rest, words="of this neither requests nor tokens are counted"))
    whole_usual = sum(one.usual("usd_per_h") or 0.0 for one in known.values())
    whole_now = sum(one.now("usd_per_h") or 0.0 for one in known.values())
    of = {one.usual_of for one in known.values()}
    usual_of = LAST_DAY if LAST_DAY in of else next(iter(sorted(of)), "")
    return CostWaterfall(usual_usd_per_h=whole_usual, now_usd_per_h=whole_now, steps=tuple(steps), usual_of=usual_of)


def _is_counted(one: Past) -> bool:
    metrics = ("usd_per_h", "requests_per_min", "tokens_per_min")
    return all((one.usual(metric) or 0.0) > 0 and one.now(metric) is not None for metric in metrics)


def _sum(counted: Mapping[Ref, Past], *, usual: bool) -> Flow:
    def total(metric: str) -> float:
        return sum((one.usual(metric) if usual else one.now(metric)) or 0.0 for one in counted.values())

    return Flow(total("usd_per_h"), total("requests_per_min"), total("tokens_per_min"))


def _steps(usual: Flow, now: Flow, counted: Mapping[Ref, Past]) -> list[CostStep]:
    if min(usual) <= NOTHING:
        return []
    tokens, price = usual.tokens / usual.requests, usual.usd_per_h / usual.tokens
    if now.requests <= NOTHING or now.tokens <= NOTHING:
        words = "nothing flows"
        return [CostStep(name=VOLUME, usd_per_h=now.usd_per_h - usual.usd_per_h, words=words)]
    tokens_now, price_now = now.tokens / now.requests, now.usd_per_h / now.tokens
    return [
        CostStep(
            name=VOLUME,
            usd_per_h=(now.requests - usual.requests) * tokens * price,
            words=f"{usual.requests:,.0f} → {now.requests:,.0f} requests/min{_most(counted, 'requests_per_min')}",
        ),
        CostStep(
            name=TOKENS,
            usd_per_h=now.requests * (tokens_now - tokens) * price,
            words=f"{tokens:,.0f} → {tokens_now:,.0f} tokens for each{_most(counted, 'tokens_per_min')}",
        ),
        CostStep(
            name=PRICES,
            usd_per_h=now.tokens * (price_now - price),
            words=f"${_per_million(price):,.2f} → ${_per_million(price_now):,.2f} for a million tokens",
        ),
    ]


def _per_million(usd_per_h_per_token_per_min: float) -> float:
    return usd_per_h_per_token_per_min / 60.0 * 1e6


def _change(one: Past, metric: str) -> float:
    return (one.now(metric) or 0.0) - (one.usual(metric) or 0.0)


def _most(counted: Mapping[Ref, Past], metric: str) -> str:
    """Where most of a change comes from."""
    total = sum(_change(one, metric) for one in counted.values())
    ref = max(counted, key=lambda ref: abs(_change(counted[ref], metric)))
    part = _change(counted[ref], metric)
    return f", most of it at {clean(ref.name, 60)}" if total and part / total >= 0.5 and len(counted) > 1 else ""
