"""A part of the answers that has grown: how it is found, whose it is, and when it is over.

Every minute is held against what is usual for the very calls that were in it (`usual`), and what is too much adds up
(`stats.proportions.BernoulliCusum`) for each deployment, provider, model, service, tenant, prompt and build, so that
the ill ones show wherever they are. What is told is one fault: the calls that are ill, by what they share (`shared`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from console.domain.answers import Answers, Group
from console.domain.board import Board
from console.domain.text import clean
from console.engine.detectors.adding import Cell
from console.engine.detectors.groups import FLOWS_MOST, FORGET_S, Fault, Flow, Past, forget, new_build, service_of
from console.engine.detectors.naming import object_of
from console.engine.detectors.shared import DIMENSIONS, Count, shared, within
from console.engine.detectors.usual import Usual, keys_of

OVER_TRIALS = 30.0
"""A fault is over when so many answers of the last minutes are nearly as usual …"""
SILENT_S = 420.0
"""… or when there was no answer for so long."""
STAYS_S = 86400.0
"""What has lasted for so long is the usual from then on."""
UNCLEAR_S = 240.0
"""When ill calls have nothing in common, it is looked again for so long before that is believed, …"""
CLEAR = 40.0
"""… unless so many are ill beyond the usual ones that chance cannot hide what they share."""
GROUPED_BY = ("deployment", "provider", "model", "service", "tenant", "prompt", "response_model", "fingerprint")
"""What the sums are kept by."""

KEPT_MOST = 5_000
ALL_TENANTS = 4
"""Parts of the name of calls that are alike, whosever they are; that of one tenant's has one more."""

Kept = tuple[list[str], float, float, int]
"""(calls that are alike, hits, trials, round)."""
Part = Callable[[Answers], tuple[float, float]]
"""From a row to (ill answers, all answers of which that can be said)."""


class Measure(Protocol):
    """How hits are judged: as a part of the trials (`adding.PartMeasure`), or as a mean (`levels.LevelMeasure`)."""

    least: float
    """Trials that are needed before anything can be called usual."""

    def cell(self, at: float) -> Cell:
        """Begin one value's calls."""
        ...

    def usual(self, own: Usual, all_alike: Usual) -> tuple[float, float]:
        """The usual hits a trial for calls of one tenant, and the variance of that figure."""
        ...

    def plain(self, hits: float, trials: float, expected: float, *, beside: bool) -> bool:
        """Whether the last minutes show it; `beside`: other calls are ill, and these share something with them."""
        ...

    def lasts(self, part: float, usual: float) -> bool:
        """Whether a fault goes on."""
        ...

    def weighed(self, hits: float, trials: float, expected: float) -> tuple[float, float]:
        """(hits, expected hits) as counts that scatter as counts do, more being worse."""
        ...


class Grown:
    """Judges one thing about the answers of every trace source."""

    def __init__(
        self, part: Part, measure: Measure, *, versions: bool = False, dimensions: Sequence[str] = DIMENSIONS
    ) -> None:
        """Begin without any past.

        Args:
            part: what is counted.
            measure: how it is judged.
            versions: whether another version of a prompt is another prompt, which is learnt anew.
            dimensions: the fields of a group among which the culprit is looked for.
        """
        self._part = part
        self._measure = measure
        self._versions = versions
        self._dimensions = dimensions
        self.sources: dict[str, Past] = {}

    def hear(self, source: str, rows: Iterable[Answers], board: Board) -> None:
        """Take in whole minutes, the oldest first."""
        known = self.sources.setdefault(source, Past())
        for row in rows:
            hits, trials = self._part(row)
            if trials <= 0:
                continue
            if row.at != known.minute:
                self._close(source, known, board)
                known.minute = row.at
                known.began_at = known.began_at or row.at
            self._take(source, known, row, hits, trials)
        self._close(source, known, board)

    def faults(self) -> Iterator[Fault]:
        """All that is wrong."""
        for known in self.sources.values():
            yield from known.faults

    def state(self, what: str) -> tuple[int, int, tuple[str, ...]]:
        """How many kinds of calls are judged, how many are still learnt, and which those are (ten at the most)."""
        alike = {
            key: one for known in self.sources.values() for key, one in known.usual.items() if len(key) == ALL_TENANTS
        }
        learning = [(key, one) for key, one in alike.items() if one.trials < self._measure.least]
        words = tuple(
            clean(f"{service or 'calls'} on {who}: {one.trials:.0f} of {self._measure.least:.0f} {what} seen", 160)
            for (_, service, _, who), one in learning[:10]
        )
        return len(alike) - len(learning), len(learning), words

    def remember(self) -> list[Kept]:
        """What is usual, as plain data; at most `KEPT_MOST` kinds of calls."""
        every = [(key, one) for known in self.sources.values() for key, one in known.usual.items()]
        every.sort(key=lambda item: (len(item[0]), -item[1].round))
        return [(list(key), *one.remember()) for key, one in every[:KEPT_MOST]]

    def recall(self, kept: list[Kept]) -> None:
        """Go on from what was remembered."""
        for key, hits, trials, round_ in kept:
            if len(key) not in (ALL_TENANTS, ALL_TENANTS + 1):
                continue
            known = self.sources.setdefault(key[0], Past())
            known.usual[tuple(key)] = Usual.of(hits, trials, round_)

    def _take(self, source: str, known: Past, row: Answers, hits: float, trials: float) -> None:
        flow = known.flows.get(row.group)
        if flow is None:
            flow = self._begin(source, known, row)
        flow.seen_at = row.at
        own, alike = flow.own, flow.all_alike
        if alike.trials >= self._measure.least:
            part, variance = self._measure.usual(own, alike)
            expected, unsure = trials * part, trials * trials * variance
            flow.lately.add(row.at, hits, trials, expected)
            suspect = False
            for cell in flow.cells:
                cell.add(hits, trials, expected, unsure)
                suspect = suspect or cell.sum >= cell.suspect
            known.touched.update(flow.cells)
            if hits and row.examples:
                flow.examples = row.examples
            if suspect:
                return
        own.add(row.at, hits, trials)
        if alike is not own:
            alike.add(row.at, hits, trials)

    def _begin(self, source: str, known: Past, row: Answers) -> Flow:
        own, alike = keys_of(source, row.group, versions=self._versions)
        cells = []
        for name in GROUPED_BY:
            value = getattr(row.group, name)
            if not value:
                continue
            cell = known.cells.get((name, value))
            if cell is None:
                cell = known.cells[name, value] = self._measure.cell(row.at)
                if name in ("fingerprint", "response_model"):
                    known.first[name, value] = row.at
            cells.append(cell)
        flow = Flow(
            row.group,
            known.usual.setdefault(own, Usual(row.at)),
            known.usual.setdefault(alike, Usual(row.at)),
            tuple(cells),
            row.at,
        )
        if len(known.flows) >= FLOWS_MOST:
            forget(known, row.at)
        known.flows[row.group] = flow
        return flow

    def _close(self, source: str, known: Past, board: Board) -> None:
        """End a minute: what has added up, what is over, what is new."""
        if not known.touched:
            return
        at = known.minute
        alarmed = False
        for cell in known.touched:
            cell.close(at)
            alarmed = alarmed or cell.sum >= cell.alarm
        known.touched.clear()
        if at - known.forgot_at >= FORGET_S:
            forget(known, at)
        if known.faults:
            self._go_on(known, at)
        if alarmed:
            self._find(source, known, board, at)

    def _find(self, source: str, known: Past, board: Board, at: float) -> None:
        """What adds up to an alarm and belongs to no fault that is known is a new one."""
        free = [flow for flow in known.flows.values() if not any(within(flow.group, f.about) for f in known.faults)]
        for flow in free:
            flow.lately.fade(at)
        alarmed = {cell for cell in known.cells.values() if cell.sum >= cell.alarm}
        counts = [_count(flow, self._measure) for flow in free if flow.lately.trials > 0.5 and flow.lately.expected > 0]
        about = shared(counts, self._dimensions)
        mine = [flow for flow in free if within(flow.group, about)]
        if not self._plain(known, mine):
            known.unclear_since = 0.0
            return
        if about == Group():
            known.unclear_since = known.unclear_since or at
            clear = sum(one.hits - one.expected for one in counts) >= CLEAR
            if at - known.unclear_since < UNCLEAR_S and not clear:
                return
        known.unclear_since = 0.0
        since = min((cell.since for flow in mine for cell in flow.cells if cell in alarmed), default=at - 60.0)
        service = service_of(mine)
        fault = Fault(source, object_of(board, source, about, service), about, since, seen_at=at)
        fault.new_build = new_build(known, about, since)
        known.faults.append(fault)
        for flow in mine:
            flow.own.forget_new()
            flow.all_alike.forget_new()
        self._look(known, fault, at)

    def _plain(self, known: Past, flows: list[Flow]) -> bool:
        """Whether the last minutes of these show it too."""
        hits = sum(flow.lately.hits for flow in flows)
        trials = sum(flow.lately.trials for flow in flows)
        expected = sum(flow.lately.expected for flow in flows)
        return self._measure.plain(hits, trials, expected, beside=bool(known.faults))

    def _look(self, known: Past, fault: Fault, at: float) -> bool:
        """Bring a fault's numbers up to date; whether it is still one."""
        hits = trials = expected = 0.0
        others_hits = others_trials = 0.0
        examples: list[str] = []
        services = {flow.group.service for flow in known.flows.values() if within(flow.group, fault.about)}
        for flow in known.flows.values():
            lately = flow.lately
            lately.fade(at)
            if within(flow.group, fault.about):
                hits += lately.hits
                trials += lately.trials
                expected += lately.expected
                fault.seen_at = max(fault.seen_at, flow.seen_at)
                if lately.hits > 0.2:
                    examples += flow.examples
            elif flow.group.service in services:
                others_hits += lately.hits
                others_trials += lately.trials
        if trials < 1.0 or at - fault.seen_at >= SILENT_S:
            return at - fault.seen_at < SILENT_S
        fault.part, fault.usual = hits / trials, expected / trials
        fault.elsewhere = others_hits / others_trials if others_trials >= OVER_TRIALS else None
        fault.examples = tuple(dict.fromkeys(examples))[:3] or fault.examples
        return self._measure.lasts(fault.part, fault.usual) or trials < OVER_TRIALS

    def _go_on(self, known: Past, at: float) -> None:
        for fault in list(known.faults):
            stays = at - fault.since >= STAYS_S
            if self._look(known, fault, at) and not stays:
                continue
            known.faults.remove(fault)
            for flow in known.flows.values():
                if within(flow.group, fault.about):
                    if stays:
                        flow.own.accept(fault.part)
                        flow.all_alike.accept(fault.part)
                    for cell in flow.cells:
                        cell.reset()


def _count(flow: Flow, measure: Measure) -> Count:
    lately = flow.lately
    hits, expected = measure.weighed(lately.hits, lately.trials, lately.expected)
    return Count(flow.group, hits, lately.trials, expected)
