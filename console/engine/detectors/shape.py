"""Answers of another form than before: keys and types that nobody has seen, or known forms in another mixture."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from console.domain.alerts import Aspect, Severity
from console.domain.answers import Answers, Group
from console.domain.board import Board
from console.domain.refs import Ref
from console.domain.text import clean
from console.engine.detectors.base import Condition
from console.engine.detectors.forms import IN_A_ROW, Forms
from console.engine.detectors.groups import Fault
from console.engine.detectors.growing import Growing, whose
from console.engine.detectors.grown import Kept
from console.engine.detectors.naming import called, clock_time, object_of, percent
from console.engine.detectors.shared import within
from console.engine.detectors.usual import FIRST, Key, keys_of

KINDS_MOST = 2_000
"""Kinds of calls whose forms are known; those that were seen first are forgotten first."""
RELEASE_S = 3600.0
"""A new form that comes within this time of a new version of our own prompt is the prompt's."""
PROMPTS_MOST = 1_000


class _Memory(msgspec.Struct):
    parts: list[Kept]
    forms: list[tuple[list[str], dict[str, float], int]]


class OutputShape(Growing):
    """A ticket when answers have forms that nobody knows; a notice when our own prompt asks for them."""

    name = "output-shape"
    rule = "output-shape"
    summary = "answers with keys and types that they did not have before, or in another mixture of forms"
    counted = "answers with a form"
    more = 0.02

    def __init__(self) -> None:
        super().__init__()
        self._forms: dict[Key, Forms] = {}
        self._source = ""
        self._prompts: dict[str, float] = {}
        """When each version of a prompt was first seen."""
        self._began_at = 0.0
        self._told: list[Fault] = []
        self._mixed: dict[Ref, tuple[float, Forms, Group]] = {}

    def hear(self, source: str, rows: tuple[Answers, ...], board: Board) -> None:
        """Take in whole minutes, the oldest first."""
        self._source = source
        self._began_at = self._began_at or rows[0].at
        super().hear(source, rows, board)
        faults = list(self.grown.faults())
        if any(fault not in self._told for fault in faults):
            for forms in self._forms.values():
                forms.forget_new()
        self._told = faults
        for row in rows:
            if row.shapes:
                self._learn(source, row, board)

    def part(self, row: Answers) -> tuple[float, float]:
        """Answers of a form that is not known, of those that have one."""
        forms = self._forms.get(keys_of(self._source, row.group)[1])
        if forms is None or forms.total < FIRST:
            return 0.0, 0.0
        return forms.strange(row.shapes), float(sum(row.shapes.values()))

    def _learn(self, source: str, row: Answers, board: Board) -> None:
        group = row.group
        if group.prompt and group.prompt not in self._prompts:
            self._prompts[group.prompt] = row.at
            while len(self._prompts) > PROMPTS_MOST:
                del self._prompts[next(iter(self._prompts))]
        if any(within(group, fault.about) and not self._release(fault) for fault in self._told):
            return
        key = keys_of(source, group)[1]
        forms = self._forms.get(key)
        if forms is None:
            if len(self._forms) >= KINDS_MOST:
                del self._forms[next(iter(self._forms))]
            forms = self._forms[key] = Forms(row.at)
        if forms.total >= FIRST:
            forms.compare(row.shapes)
            self._mix(source, row, forms, board)
        forms.learn(row.at, row.shapes)

    def _mix(self, source: str, row: Answers, forms: Forms, board: Board) -> None:
        group = row.group
        about = Group(
            deployment=group.deployment, provider=group.provider, model=group.model, service=group.service,
            prompt=group.prompt,
        )  # fmt: skip
        ref = object_of(board, source, about, group.service)
        if forms.odd >= IN_A_ROW:
            since = self._mixed.setdefault(ref, (row.at, forms, about))[0]
            if row.at - since > RELEASE_S:
                forms.adopt()
        elif ref in self._mixed and self._mixed[ref][1] is forms:
            del self._mixed[ref]

    def _release(self, fault: Fault) -> str:
        """The version of our own prompt that came just before; empty where there is none."""
        prompt = fault.about.prompt
        first = self._prompts.get(prompt, 0.0)
        new = first > self._began_at + 60.0 and abs(fault.since - first) <= RELEASE_S
        return prompt if new else ""

    def words(self, fault: Fault) -> str:
        """What is wrong."""
        return f"{percent(fault.part)} of answers of {whose(fault)} have a form that was not seen before"

    def tick(self, now: float, board: Board) -> Iterator[Condition]:
        """One condition an object; its value is the part of answers in a new form, or the shift of the mixture."""
        told: set[Ref] = set()
        for fault in self.grown.faults():
            told.add(fault.ref)
            condition = self.condition(fault)
            if prompt := self._release(fault):
                words = f"{condition.words}; our own release: prompt {clean(prompt, 60)} came at that time"
                condition = replace(condition, severity=Severity.NOTICE, words=words)
            yield condition
        for ref, (since, forms, about) in self._mixed.items():
            if ref not in told:
                yield _mixture(ref, since, forms, about)

    def remember(self) -> bytes:
        """What is usual, as JSON."""
        forms = [(list(key), one.counts, one.round) for key, one in self._forms.items()]
        return msgspec.json.encode(_Memory(self.grown.remember(), forms))

    def recall(self, state: bytes, now: float) -> None:
        """Go on from what was usual; what cannot be read is learnt anew."""
        try:
            kept = msgspec.json.decode(state, type=_Memory)
        except msgspec.MsgspecError:
            return
        self.grown.recall(kept.parts)
        for key, counts, round_ in kept.forms:
            self._forms[tuple(key)] = Forms.of(counts, round_)


def _mixture(ref: Ref, since: float, forms: Forms, about: Group) -> Condition:
    words = (
        f"answers of {called(about)} have their usual forms in another mixture (index {forms.shift.value:.2f}, chance: "
        f"{forms.shift.by_chance:.2f}); since {clock_time(since)}"
    )
    return Condition(
        OutputShape.rule, ref, Severity.NOTICE, words, forms.shift.value, aspect=Aspect.ANSWERS, about=about
    )
