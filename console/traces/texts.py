"""Two texts, word by word; bounded, whatever the texts are."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from console.domain.difference import Change, Difference, Run

WORDS_MOST: Final = 1_000
"""Words of a piece that are held against each other one by one; a longer one is compared by sentences first."""
SENTENCES_MOST: Final = 2_000
"""Sentences that are held against each other; more are compared whole."""
WORDS_IN_ALL: Final = 60_000
"""Words that are compared one by one in one comparison; what comes after is compared whole."""

_SIGNS = "\u3040-\u30ff\u3400-\u9fff"
"""Kana and Han: scripts that put no space between words."""
_WORD = re.compile(rf"[{_SIGNS}]\s*|[^\s{_SIGNS}]+\s*|\s+")
_SENTENCE = re.compile(r"[^.!?。！？\n]*[.!?。！？\n]+\s*|[^.!?。！？\n]+")
"""A sentence or a line, whichever is shorter; together they are the text."""


class Effort:
    """What one comparison may still spend on words, and what it has found already."""

    def __init__(self, words: int = WORDS_IN_ALL) -> None:
        self._left = words
        self._known: dict[tuple[str, str], tuple[Run, ...]] = {}
        self.spared = False
        """Whether something was compared whole because it is too long."""

    def runs(self, first: str, second: str) -> tuple[Run, ...]:
        """Both texts in order: what they share, and what only one of them has."""
        key = (first, second)
        if key not in self._known:
            self._known[key] = _joined(self._words(_WORD.findall(first), _WORD.findall(second)))
        return self._known[key]

    def _words(self, first: Sequence[str], second: Sequence[str]) -> list[Run]:
        head, tail = _shared_ends(first, second)
        mine, others = first[head : len(first) - tail], second[head : len(second) - tail]
        before, after = _run(Change.SAME, first[:head]), _run(Change.SAME, first[len(first) - tail :])
        return [*before, *self._middle(mine, others), *after]

    def _middle(self, first: Sequence[str], second: Sequence[str]) -> list[Run]:
        if not first or not second:
            return _whole(first, second)
        if max(len(first), len(second)) <= WORDS_MOST:
            return self._by_word(first, second)
        mine, others = _SENTENCE.findall("".join(first)), _SENTENCE.findall("".join(second))
        if max(len(mine), len(others)) > SENTENCES_MOST or min(len(mine), len(others)) < 2:
            self.spared = True
            return _whole(first, second)
        return self._by_sentence(mine, others)

    def _by_word(self, first: Sequence[str], second: Sequence[str]) -> list[Run]:
        self._left -= len(first) + len(second)
        if self._left < 0:
            self.spared = True
            return _whole(first, second)
        found: list[Run] = []
        for change, a, b, c, d in SequenceMatcher(None, first, second).get_opcodes():
            found += _run(Change.SAME, first[a:b]) if change == "equal" else _whole(first[a:b], second[c:d])
        return found

    def _by_sentence(self, first: Sequence[str], second: Sequence[str]) -> list[Run]:
        found: list[Run] = []
        for change, a, b, c, d in SequenceMatcher(None, first, second).get_opcodes():
            if change == "equal":
                found += _run(Change.SAME, first[a:b])
                continue
            mine, others = _WORD.findall("".join(first[a:b])), _WORD.findall("".join(second[c:d]))
            if not mine or not others:
                found += _whole(mine, others)
            elif max(len(mine), len(others)) <= WORDS_MOST:
                found += self._by_word(mine, others)
            else:
                self.spared = True
                found += _whole(mine, others)
        return found


def text_difference(what: str, first: str, second: str, effort: Effort) -> list[Difference]:
    """None or one difference of two longer texts."""
    if first == second:
        return []
    change = Change.CHANGED if first and second else Change.ONLY_FIRST if first else Change.ONLY_SECOND
    return [Difference(change=change, what=what, runs=effort.runs(first, second))]


def value_difference(what: str, first: str, second: str) -> list[Difference]:
    """None or one difference of two short values; an empty one is not there."""
    if first == second:
        return []
    change = Change.CHANGED if first and second else Change.ONLY_FIRST if first else Change.ONLY_SECOND
    return [Difference(change=change, what=what, first=first, second=second)]


def _shared_ends(first: Sequence[str], second: Sequence[str]) -> tuple[int, int]:
    """How many words both begin with, and how many of the rest both end with."""
    most = min(len(first), len(second))
    head = 0
    while head < most and first[head] == second[head]:
        head += 1
    tail = 0
    while tail < most - head and first[-1 - tail] == second[-1 - tail]:
        tail += 1
    return head, tail


def _run(change: Change, words: Sequence[str]) -> list[Run]:
    return [Run(change, "".join(words))] if words else []


def _whole(first: Sequence[str], second: Sequence[str]) -> list[Run]:
    return [*_run(Change.ONLY_FIRST, first), *_run(Change.ONLY_SECOND, second)]


def _joined(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Neighbours of the same kind as one."""
    found: list[Run] = []
    for run in runs:
        if found and found[-1].change is run.change:
            found[-1] = Run(run.change, found[-1].text + run.text)
        else:
            found.append(run)
    return tuple(found)
