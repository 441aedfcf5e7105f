"""Runbooks and runs for tests of the pure rules."""

from pathlib import Path
from typing import Any

from console.domain.actions import (
    Intent,
    Outcome,
    Plan,
    Proposal,
    Receipt,
    Trip,
    Verb,
    Verdict,
)
from console.domain.actions import Stage as ActionStage
from console.domain.refs import Kind, Ref
from console.domain.runbooks import Condition, StartRun
from runbooks.describing import run_of
from runbooks.loader import Book
from runbooks.schema import Runbook
from runbooks.session import Phase, Question, Session

NOW = 1_800_000_000.0
UID = 1000
TARGET = Ref("gateway", Kind.DEPLOYMENT, "azure-b")
ACT = {"verb": "trip", "target": "deployment/azure-b"}


def book(*steps: dict[str, Any], **more: Any) -> Runbook:
    """A runbook of these steps."""
    return Runbook.model_validate({"schemaVersion": 1, "id": "book", "title": "Book", "steps": steps, **more})


def begun(runbook: Runbook, *, dry: bool = False) -> Session:
    """A run of it that begins."""
    file = Book(runbook, Path("book.yaml"), "ab" * 32, "")
    run = run_of(file, StartRun(runbook="book", dry=dry), {}, "r1", "olga", UID, NOW)
    return Session(run=run, since=NOW)


def intent(key: str) -> Intent:
    """What an action step asks for."""
    return Intent(target=TARGET, action=Trip(), reason="why", key=key)


def proposal(asked: Intent, *, refused: str = "") -> Proposal:
    """A proposal that the guard lets through."""
    plan = Plan(target=asked.target, verb=Verb.TRIP, steps=(), expects=(), words="trip azure-b")
    return Proposal(
        id="p", intent=asked, operator="olga", plan=plan, effects=(), verdict=Verdict(()), created_at=NOW,
        valid_until=NOW + 120,
    )  # fmt: skip


def receipt(key: str, action_id: str, outcome: Outcome) -> Receipt:
    """News of an action."""
    stage = ActionStage.VERIFYING if outcome in (Outcome.APPLIED, Outcome.PENDING) else ActionStage.DONE
    return Receipt(
        id=action_id, intent=intent(key), operator="olga", stage=stage, outcome=outcome, started_at=NOW,
        updated_at=NOW, words=str(outcome),
    )  # fmt: skip


def seen(questions: tuple[Question, ...], holds: bool | None) -> tuple[Condition, ...]:
    """Every question with the same answer."""
    return tuple(Condition(role=one.role, text=one.text, holds=holds, words=one.words) for one in questions)


__all__ = ["ACT", "NOW", "TARGET", "UID", "Phase", "begun", "book", "intent", "proposal", "receipt", "seen"]
