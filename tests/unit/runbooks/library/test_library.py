"""Every runbook that is shipped: clean, generic, and written for a tired person."""

import re
from importlib import resources

import pytest

from adapters.simulator.platform import standard
from adapters.simulator.remedies import cures
from adapters.simulator.scenario import names
from runbooks.loader import LIBRARY, Book, library, lint
from runbooks.schema import Step
from runbooks.targets import PLACEHOLDER

BOOKS = library()
OFFERED = [book for book in BOOKS if book.runbook.match]
"""The others are begun by name, for something that is no incident."""
WANTED = {
    "provider-brownout", "hard-outage", "rate-limit-storm", "retry-storm-and-backlog", "format-drift",
    "tool-schema-drift", "refusal-jump", "cost-runaway", "agent-loop", "retrieval-drop", "split-snapshots",
    "stuck-workflow", "context-overflow", "stale-source",
}  # fmt: skip
FOR_EXAMPLE = {
    "service": "chat-worker", "index": "knowledge-base", "deployment": "chat-azure", "route": "chat", "key": "web",
    "writer": "memory/summaries", "where": "route/chat", "model": "model/gpt-5", "whose": "provider/azure",
    "source": "jobs", "queue": "chat-jobs",
}  # fmt: skip


def by_id(book: Book) -> str:
    return book.runbook.id


def test_there_is_one_for_everything_that_goes_wrong() -> None:
    assert {book.runbook.id for book in OFFERED} >= WANTED
    assert {name for book in BOOKS for name in book.runbook.scenarios} <= set(names())


def test_they_come_with_the_package() -> None:
    shipped = resources.files("runbooks").joinpath("library").iterdir()
    assert {entry.name for entry in shipped if entry.name.endswith(".yaml")} == {book.path.name for book in BOOKS}


@pytest.mark.parametrize("book", BOOKS, ids=by_id)
def test_each_is_clean_and_has_its_own_name(book: Book) -> None:
    assert lint(book.path) == []
    assert book.path == LIBRARY / f"{book.runbook.id}.yaml"
    assert book.runbook.title
    assert 20 <= len(book.runbook.summary) <= 160


@pytest.mark.parametrize("book", BOOKS, ids=by_id)
def test_none_knows_the_platform_that_it_is_followed_on(book: Book) -> None:
    platform = standard()
    own = {one.name for one in platform.providers} | {one.name for one in platform.routes}
    own |= {one.name for one in platform.queues}
    own |= {one.name for route in platform.routes for one in route.deployments}
    own |= {queue.service for queue in platform.queues}
    found = {name for name in own - {"chat", "agents", "embed"} if re.search(rf"(?<![\w-]){name}(?![\w-])", book.text)}
    assert not found


@pytest.mark.parametrize("book", OFFERED, ids=by_id)
def test_a_trap_is_named_and_every_step_says_what_it_is(book: Book) -> None:
    assert "**Trap" in book.text
    assert all(step.title for step in book.runbook.steps)
    assert max(map(len, book.text.splitlines())) <= 120
    assert any(step.docs for step in book.runbook.steps)


@pytest.mark.parametrize("book", BOOKS, ids=by_id)
def test_what_is_done_to_a_backend_ends_by_itself_or_has_its_way_back(book: Book) -> None:
    for step in book.runbook.steps:
        if step.action is not None and step.action.verb in ("trip", "weight", "switch", "pause"):
            assert step.action.ttl, step.id
        assert step.action is None or step.action.verb != "purge"


@pytest.mark.parametrize("book", BOOKS, ids=by_id)
def test_what_is_done_by_hand_can_be_done(book: Book) -> None:
    for step in book.runbook.steps:
        if step.manual is not None and step.manual.does:
            assert cures(_example(step), standard())


def _example(step: Step) -> str:
    assert step.manual is not None
    return PLACEHOLDER.sub(lambda found: FOR_EXAMPLE[found[1]], step.manual.does)
