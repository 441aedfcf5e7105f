"""What people and models say in a simulated request: the same words each time a request is told."""

import random
from typing import Final, NamedTuple

_SUBJECTS: Final = ("order 4711", "the May invoice", "a late delivery", "the returns policy", "seat upgrades")
_ASKS: Final = ("What is the state of {}?", "Can you explain {} to me?", "Please write a short note about {}.")
_FACTS: Final = (
    "is handled within two working days",
    "was confirmed by the warehouse this morning",
    "needs the customer's signature",
    "is free of charge for members",
    "cannot be changed after midnight",
)

SYSTEM: Final = "You answer customers of a mail-order house. Use only what the documents say."
"""Instructions of every chat."""

TEMPLATE: Final = "Answer {question} from these documents:\n{documents}"
"""The prompts' template."""


DECLINED: Final = "I'm sorry, but I can't help with that."
"""What a model says that declines."""

STRANGE: Final = " สวัสดี ответ 安排 "
"""What gets into an answer that has letters of other scripts."""


class Wording(NamedTuple):
    """The words of one request."""

    question: str
    answer: str
    facts: tuple[str, ...]
    """What documents say."""

    @classmethod
    def of(cls, trace_id: str) -> "Wording":
        """The words of a request by its id."""
        chance = random.Random(f"words {trace_id}")  # noqa: S311 - a game, not a secret
        subject = chance.choice(_SUBJECTS)
        facts = tuple(f"{subject} {fact}." for fact in chance.sample(_FACTS, len(_FACTS)))
        return cls(chance.choice(_ASKS).format(subject), f"{facts[0]} Besides, {facts[1]}", facts)
