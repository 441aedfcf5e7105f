"""Answers that are drawn minute by minute for a small platform, told to one detector."""

import random
from collections.abc import Callable
from typing import Any, Protocol

from console.domain.answers import Answers, Group
from console.domain.board import Board
from console.domain.readings import Deployment
from console.domain.refs import Kind, Ref
from console.engine.detectors.base import Condition

BEGIN = 1_800_000_000.0
DEPLOYMENTS = (
    ("chat-openai", "openai", "gpt"),
    ("chat-azure", "azure", "gpt"),
    ("fast-azure", "azure", "mini"),
    ("chat-anthropic", "anthropic", "claude"),
)

Row = Callable[[Group, float, random.Random], Answers | None]
"""From a group, the minute's end and chance to what it answered."""


class Judge(Protocol):
    """A detector of answers."""

    def hear(self, source: str, rows: tuple[Answers, ...], board: Board) -> None: ...

    def tick(self, now: float, board: Board) -> Any: ...


def hits(chance: random.Random, trials: int, part: float) -> int:
    """How many of `trials` are, when each is with a chance of `part`."""
    return sum(chance.random() < part for _ in range(trials))


def groups() -> list[Group]:
    """Four deployments, two services, two tenants."""
    return [
        Group(
            deployment=name, provider=provider, model=model, service=service, tenant=tenant, fingerprint=f"fp-{name}",
            prompt="ask@1",
        )
        for name, provider, model in DEPLOYMENTS
        for service in ("web", "agent")
        for tenant in ("acme", "globex")
    ]  # fmt: skip


class Platform:
    """Its minutes, one after the other, and what the detector says after each."""

    def __init__(self, detector: Judge, seed: int = 1) -> None:
        self.detector = detector
        self.chance = random.Random(seed)
        self.minute = 0
        self.board = Board()
        for name, provider, model in DEPLOYMENTS:
            ref = Ref("gateway", Kind.DEPLOYMENT, name)
            self.board.readings[ref] = Deployment(ref=ref, observed_at=BEGIN, provider=provider, model=model)

    @property
    def now(self) -> float:
        """The last minute's end."""
        return BEGIN + 60.0 * self.minute

    def pass_(self, minutes: int, row: Row, until_found: bool = False) -> list[Condition]:
        """Let minutes pass; what is wrong at their end, or at the first one with anything wrong."""
        found: list[Condition] = []
        for _ in range(minutes):
            self.minute += 1
            rows = tuple(one for group in groups() if (one := row(group, self.now, self.chance)))
            self.detector.hear("calls", rows, self.board)
            found = list(self.detector.tick(self.now, self.board))
            if found and until_found:
                break
        return found
