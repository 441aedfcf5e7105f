"""Where a request's time went: from its end back through whatever finished last."""

from console.domain.reconstruction import Critical
from console.traces.tree import NO_SPAN, Tree

SLACK_S = 0.001
"""A child that ends this much after its parent, or after what came next began, was waited for all the same."""
SLACK_PART = 0.01
"""The slack is never more than this part of the request."""
GRAIN_S = 2e-6
"""A gap between two spans that is no longer is rounding, and counts for a neighbour."""
FARTHEST = 64
"""Levels up that are searched for who waited for a child that outlives its parent."""


def critical_path(tree: Tree) -> tuple[Critical, ...]:
    """The path, by time; what each entry owns adds up to the time from the request's start to its end.

    A span waits for those of its children that end before it does. A child that outlives its parent was started by it
    and waited for by the first span above that outlives the child; what outlives the request was waited for by nobody.
    Spans whose parent has not arrived count as called by the request itself; where that has not arrived either, the
    time that none of them tells of has an empty span id.
    """
    return _Path(tree).walk() if tree.spans else ()


class _Path:
    """One walk. Places are those of the tree; the place after the last is the request where its span is not there."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        count = len(tree.spans)
        self._root = tree.root if tree.root != NO_SPAN else count
        self._starts, self._ends = [*tree.starts, 0.0], [*tree.ends, 0.0]
        if self._root == count:
            self._starts[count], self._ends[count] = min(tree.starts), max(tree.ends)
        length = self._ends[self._root] - self._starts[self._root]
        self._slack, self._grain = min(SLACK_S, SLACK_PART * length), min(GRAIN_S, SLACK_PART * length)
        self._parents = [self._root if parent == NO_SPAN else parent for parent in (*tree.parents, NO_SPAN)]
        self._waiters = [NO_SPAN] * (count + 1)
        """Who waited for each."""
        self._called: list[list[int]] = [[] for _ in range(count + 1)]
        """Whom each waited for, the last to end at the end."""
        self._found: list[tuple[int, float, float]] = []
        """Span, from, to; the last of the request first."""
        self._upto = self._ends[self._root]
        """Everything from here on is some span's."""
        self._prepare()

    def _prepare(self) -> None:
        root, starts, ends = self._root, self._starts, self._ends
        for place in self._tree.order:
            if place == root:
                continue
            parent = self._parents[place]
            starts[place] = max(starts[place], starts[parent])
            self._waiters[place] = waiter = self._waiter(place, parent)
            if starts[place] < ends[place]:
                self._called[waiter].append(place)
        for called in self._called:
            called.sort(key=ends.__getitem__)

    def _waiter(self, place: int, parent: int) -> int:
        waiter = parent
        for _ in range(FARTHEST):
            if waiter == self._root or self._ends[waiter] + self._slack >= self._ends[place]:
                return waiter
            waiter = self._waiters[waiter]
        return self._root

    def walk(self) -> tuple[Critical, ...]:
        """Go back from the end; each round goes down to a child, or up from one that began here."""
        place, at = self._root, self._upto
        while True:
            child = self._last_before(place, at)
            if child != NO_SPAN:
                end = min(at, self._ends[child])
                self._own(place, end)
                place, at = child, end
                continue
            start = self._starts[place]
            self._own(place, start)
            if place == self._root:
                self._finish(start)
                return self._entries()
            place, at = self._caller(place, start), start

    def _last_before(self, place: int, at: float) -> int:
        """The child that ended last before a moment; one that still ran then is passed by for good."""
        called = self._called[place]
        while called:
            child = called.pop()
            if self._ends[child] <= at + self._slack and self._starts[child] < at:
                return child
        return NO_SPAN

    def _caller(self, place: int, at: float) -> int:
        """What ran when a span began: its parent, or whoever of those above still did."""
        waiter, above = self._waiters[place], self._parents[place]
        while above != waiter and not self._starts[above] < at <= self._ends[above]:
            above = self._waiters[above]
        return above

    def _own(self, place: int, start: float) -> None:
        """Let a span have what nobody has yet, back to a moment; what is only rounding is left to the next."""
        if self._upto - start > self._grain:
            self._found.append((place, start, self._upto))
            self._upto = start

    def _finish(self, start: float) -> None:
        """What was left at the very beginning is the first span's; all of a request that took no longer, the root's."""
        if self._upto > start:
            place, _, end = self._found.pop() if self._found else (self._root, start, self._upto)
            self._found.append((place, start, end))

    def _entries(self) -> tuple[Critical, ...]:
        """Pieces of the same span that touch each other are one."""
        joined: list[tuple[int, float, float]] = []
        for place, start, end in reversed(self._found):
            if joined and joined[-1][0] == place:
                joined[-1] = (place, joined[-1][1], end)
            else:
                joined.append((place, start, end))
        spans, base = self._tree.spans, self._tree.base
        return tuple(
            Critical(
                span_id=spans[place].span_id if place < len(spans) else "",
                at=base + start,
                own_s=end - start,
            )
            for place, start, end in joined
        )
