"""What a person should know about this broker besides its numbers."""

from adapters.rabbitmq.broker import Broker
from adapters.rabbitmq.names import Hold, Place
from adapters.rabbitmq.readings import STREAM, Moment
from adapters.rabbitmq.standing import Standing
from adapters.rabbitmq.survey import MOST_DETAILS, MOST_LISTED, Survey, Way
from console.domain.text import clean

_MOST_NAMED = 5
"""How many notes of one sort; more say no more."""


def notes_of(
    moment: Moment, survey: Survey, standing: Standing | None, strays: list[Place], broker: Broker
) -> tuple[str, ...]:
    """Every note, clean for display; `moment` after its readings were made."""
    notes: list[str] = []
    if standing is not None:
        notes += [standing.words(), *standing.alarms]
        if standing.why_no_change:
            notes.append(standing.why_no_change)
        if not standing.sees_all:
            notes.append("the user lacks the tag monitoring: it sees neither all numbers nor the shovels")
        if not standing.rates:
            notes.append("the broker counts no rates (rates_mode none): no flow, no time to drain")
    elif moment.powers.why_no_shovel:
        notes.append(moment.powers.why_no_shovel)
    if "plugin" in moment.powers.why_no_shovel:
        notes.append(f"nothing can be moved: {moment.powers.why_no_shovel}")
    notes += _about_size(survey)
    notes += _about_orphans(moment)
    streams = sum(seen.shape.kind == STREAM for seen in moment.queues.values())
    if streams:
        notes.append(f"streams: {streams}, shown as empty: they keep what was read, so their length is no backlog")
    named = [clean(place.queue, 80) for place in strays[:_MOST_NAMED]]
    notes += [f"the shovel {name} was asked for and does not run" for name in named]
    return tuple(notes)


def _about_size(survey: Survey) -> list[str]:
    count = f"{len(survey.queues):,} queues"
    match survey.way:
        case Way.METRICS:
            return [f"{count}: rates and ages are read for the {MOST_DETAILS} longest and those that are looked at"]
        case Way.TOTALS:
            return [
                f"{count}, more than {MOST_LISTED:,}, and `prometheus` is not configured or cannot be read: "
                "each look costs the broker far more than it would through its metrics"
            ]
        case _:
            return []


def _about_orphans(moment: Moment) -> list[str]:
    """Messages that were set aside of a queue that is not there any more: nobody else would see them."""
    words = {Hold.PARKED: "parked", Hold.PAUSED: "held back", Hold.RETRIES: "set aside as retries"}
    return [
        f"{count:,} messages are {words[hold]} of {clean(place.queue, 60)}, which is not there any more"
        for place, held in moment.held.items()
        if place not in moment.queues
        for hold, count in held.items()
        if count
    ][:_MOST_NAMED]
