"""Whether work gets done: the backlog of a queue, what is set aside, the runs of a workflow."""

from console.domain.health.levels import OK, Health, Level
from console.domain.readings import AgeQuality, Queue, Service
from console.domain.text import clean

WARN_AGE_S = 300.0
"""How long the oldest message of a queue may wait before that is worth a word."""
BAD_AGE_S = 1800.0
GROWING_FOR_MIN = 1.0
"""A backlog of at least this many minutes of its growth is growing; less may be a burst."""
GROWING_PART = 0.05
"""Growth below this part of what comes in is noise."""
WARN_REDELIVERED = 0.2
"""Redeliveries for each message that is done."""


def of_backlog(queue: Queue) -> Health:
    """Whether what waits gets less, and how long it has waited."""
    if queue.holds_dead and not queue.consumers:
        return OK  # what lies there is said of the queue in which it died
    if queue.depth and queue.consumers == 0 and not queue.paused:
        return Health(Level.BAD, "no workers", f"{queue.depth:,} wait and nobody takes them")
    age = queue.oldest_age_s
    if age is not None and age >= WARN_AGE_S and not queue.paused:
        level = Level.BAD if age >= BAD_AGE_S else Level.WARN
        about = "" if queue.age_quality is AgeQuality.EXACT else "about "
        return Health(level, "old", f"the oldest of {queue.depth:,} waits for {about}{age / 60:.0f} min")
    growth = None if queue.paused else queue.growth_per_min
    if growth is not None and growth > 0 and queue.depth > GROWING_FOR_MIN * growth and growth >= _noticeable(queue):
        return Health(Level.WARN, "growing", f"{queue.depth:,} wait, {growth:,.0f} more each minute")
    out, again = queue.out_per_min, queue.redelivered_per_min
    if out and again is not None and again / out >= WARN_REDELIVERED:
        return Health(Level.WARN, "redelivered", f"{again / out:.0%} of what is taken was taken before")
    if queue.dead_letters:
        return Health(Level.WARN, "dead letters", f"{queue.dead_letters:,} in {clean(queue.dead_letter_queue, 60)}")
    return OK


def _noticeable(queue: Queue) -> float:
    return GROWING_PART * (queue.in_per_min or 0.0)


def of_set_aside(queue: Queue) -> Health:
    """What an operator meant stays in sight: a parked backlog that nobody watches is a lost one."""
    if queue.paused:
        return Health(Level.NOTICE, "paused", "no worker takes from it, as an operator wanted")
    if queue.parked:
        return Health(Level.NOTICE, "parked", f"{queue.parked:,} messages are set aside")
    return OK


def of_workflows(service: Service) -> Health:
    """Whether the runs of a service's workflows get on, and do nothing twice."""
    for workflow in service.workflows:
        name = clean(workflow.name, 60)
        if workflow.stuck:
            return Health(
                Level.WARN, "stuck", f"{workflow.stuck:,} of {workflow.running:,} runs of {name} do not get on"
            )
        if workflow.duplicates:
            return Health(Level.WARN, "duplicates", f"{name} did {workflow.duplicates:,} things more than once")
    return OK
