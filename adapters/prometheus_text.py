"""Prometheus text, read at the price of what is new on the page.

prometheus-client's own parser reads about 20,000 samples a second, most of it label by label. A page of the same
process names the same series every time, so every `name{labels}` that was parsed once is remembered by its raw
text: on a warm page only the values are read. A page is taken block by block, from one comment to the next: a block
that says what it said on the page before is not read again, and one of a family that nobody asked for never is.
The results equal prometheus-client's; `tests/unit/adapters/test_prometheus_text.py` holds them to it.
"""

import re
import sys
from collections.abc import Iterable
from typing import NamedTuple

_SUFFIXES = ("", "_total", "_bucket", "_sum", "_count")
_NAME = re.compile(r"\s*([^\s{]*)")
_BARE_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_SPARE_KEYS = 64


class MalformedPage(ValueError):
    """The text is not the Prometheus format, or was cut; says in which line."""

    def __init__(self, line: int, why: str) -> None:
        self.line = line
        """Counted from 1."""
        self.why = why
        super().__init__(f"line {line}: {why}")


class Series:
    """One name with its labels. The same object stands for it on every page of one parser, so it can be a key."""

    __slots__ = ("labels", "name")

    def __init__(self, name: str, labels: dict[str, str]) -> None:
        self.name = name
        self.labels = labels

    def __repr__(self) -> str:
        return f"Series({self.name!r}, {self.labels!r})"


class Sample(NamedTuple):
    """One value of one series; `timestamp` in unix seconds where the page gives one."""

    series: Series
    value: float
    timestamp: float | None = None


class _Block(NamedTuple):
    """What was read from one comment to the next, to be taken again while it stands there unchanged."""

    length: int
    mark: int
    """Its text's `hash`: 64 bits with a secret of the process's own. The text would be a third of a parser's memory."""
    samples: list[Sample]
    counter: str
    """The renamed counter, if its block goes on after the next comment."""

    def stands(self, text: str, start: int) -> bool:
        """Whether it is what stands in `text` from `start` up to the next comment."""
        end = start + self.length
        return text[end : end + 1] in ("", "#") and hash(text[start:end]) == self.mark


class PageParser:
    """Reads the pages of one process, one after the other; not for two threads at once."""

    def __init__(self, families: Iterable[str], labels: Iterable[str] | None = None) -> None:
        """What to read.

        Args:
            families: the names to read, as `# TYPE` gives them (with or without `_total`).
            labels: the labels to keep, because the others are most of the memory; None keeps all.
                Series that differ in other labels alone stay different series.
        """
        self._labels = None if labels is None else frozenset(labels)
        self._wanted = frozenset(name + suffix for name in families for suffix in _SUFFIXES)
        self._maybe = self._wanted | {name.removesuffix("_total") for name in self._wanted}
        self._known: dict[int, Series | None] = {}
        """By the hash of a series' raw text: the texts themselves would be most of the memory."""
        self._renamed: dict[int, Series | None] = {}
        self._blocks: dict[tuple[str, str], _Block] = {}
        self._names = "\n" + "\n".join(self._maybe)
        self._room = 0
        self.parsed = 0
        """How many lines had to go through prometheus-client so far."""

    @property
    def remembered(self) -> int:
        """How many raw series texts are known: never many more than one page had lines."""
        return len(self._known) + len(self._renamed)

    def parse(self, page: bytes | str) -> list[Sample]:
        """The samples of the wanted families, in the page's order.

        Raises:
            MalformedPage: a line of a wanted family does not parse, the text is not UTF-8, or it ends in
                the middle of a line (then its last number may be cut, and 1 % of a value is worse than none).
        """
        text = page if isinstance(page, str) else _decode(page)
        if text and not text.endswith("\n"):
            raise MalformedPage(text.count("\n") + 1, "the page ends in the middle of a line")
        samples = self._read(text)
        if self.remembered > self._room:
            self._forget(text.split("\n"))
        return samples

    def _read(self, text: str) -> list[Sample]:
        samples: list[Sample] = []
        blocks: dict[tuple[str, str], _Block] = {}
        counter = ""  # the counter without `_total` whose samples prometheus-client renames, while inside its block
        start = 0
        while start < len(text):
            body = text.index("\n", start) + 1
            head = text[start:body] if text[start] == "#" else ""
            block = self._blocks.get((head, counter))
            if block is None or not block.stands(text, start):
                end = _end_of_block(text, body)
                if head and self._is_foreign(head, text, body, end):
                    start, counter = end, ""
                    continue
                try:
                    block = self._read_block(text[start:end], counter)
                except MalformedPage as error:
                    raise MalformedPage(text.count("\n", 0, start) + error.line, error.why) from None
            blocks[head, counter] = block
            samples += block.samples
            start += block.length
            counter = block.counter
        self._blocks = blocks
        return samples

    def _is_foreign(self, head: str, text: str, body: int, end: int) -> bool:
        """Whether all lines begin with the name in the comment above them, and no name that was asked for does."""
        words = head.split(None, 3)
        if body == end or len(words) < 3 or "\n" + words[2] in self._names:
            return False
        while body < end and text.startswith(words[2], body):
            body = text.index("\n", body) + 1
        return body == end

    def _read_block(self, block: str, counter: str) -> _Block:
        samples: list[Sample] = []
        append = samples.append
        known = self._known
        for number, line in enumerate(block.split("\n"), 1):
            if not counter:
                key, _, value = line.rpartition(" ")
                try:
                    series = known[hash(key)]
                    if series is None:
                        continue
                    if "_" not in value:  # float() takes 1_000, Prometheus does not
                        append(Sample(series, float(value)))
                        continue
                except (KeyError, ValueError):
                    pass
            stripped = line.strip()
            if not stripped:
                continue
            if stripped[0] == "#":
                counter = _renamed_counter(stripped, counter)
                continue
            if counter and _name_of(stripped) != counter:
                counter = ""
            sample = self._learn(stripped, number, rename=bool(counter))
            if sample is not None:
                append(sample)
        return _Block(len(block), hash(block), samples, counter)

    def _learn(self, line: str, number: int, *, rename: bool) -> Sample | None:
        """Read one line the slow way, and remember it when its key text stands for a series on its own."""
        known = self._renamed if rename else self._known
        key, _, value = line.rpartition(" ")
        name = _name_of(line)
        if name and name not in self._maybe:
            if key:
                known[hash(key)] = None
            return None
        parsed_name, labels, number_read, timestamp = self._ask_client(line, number)
        if rename:
            parsed_name += "_total"
        if parsed_name not in self._wanted:
            return None
        if timestamp is not None or not _stands_alone(key, value, number_read):
            return Sample(Series(parsed_name, labels), number_read, timestamp)
        mark = hash(key)
        series = known.get(mark)
        if series is None:
            series = known[mark] = Series(parsed_name, labels)
        return Sample(series, number_read)

    def _ask_client(self, line: str, number: int) -> tuple[str, dict[str, str], float, float | None]:
        from prometheus_client.parser import text_string_to_metric_families

        self.parsed += 1
        try:
            (family,) = text_string_to_metric_families(line)
            (sample,) = family.samples
        except (ValueError, IndexError, KeyError) as error:
            raise MalformedPage(number, f"{_short(line)} is no sample: {_short(str(error)) or 'wrong form'}") from None
        stamp = sample.timestamp
        # The same words on every series and every gateway's page: kept once, they are half of the memory.
        kept = self._labels
        labels = {
            sys.intern(name): sys.intern(value) for name, value in sample.labels.items() if kept is None or name in kept
        }
        return sys.intern(sample.name), labels, float(sample.value), None if stamp is None else float(stamp)

    def _forget(self, lines: list[str]) -> None:
        """Keep only what the present page still has, and room for a few more."""
        self._room = len(lines) + len(lines) // 4 + _SPARE_KEYS
        keys = {hash(line.strip().rpartition(" ")[0]) for line in lines}
        self._known = {key: series for key, series in self._known.items() if key in keys}
        self._renamed = {key: series for key, series in self._renamed.items() if key in keys}


def _end_of_block(text: str, start: int) -> int:
    """Where the next line from `start` on begins that is a comment; found by its one sign, at the speed of memory."""
    at = text.find("#", start)
    while at > 0 and text[at - 1] != "\n":
        at = text.find("#", at + 1)
    return len(text) if at < 0 else at


def _decode(page: bytes) -> str:
    try:
        return page.decode()
    except UnicodeDecodeError as error:
        raise MalformedPage(page.count(b"\n", 0, error.start) + 1, "not UTF-8") from None


def _name_of(line: str) -> str:
    """The text before the labels; empty where the name stands among them, in quotes."""
    found = _NAME.match(line)
    return found.group(1) if found else ""


def _stands_alone(key: str, value: str, read: float) -> bool:
    """Whether `key` is all of `name{labels}` and `value` all of the number, so that the next value may differ."""
    if not (key.endswith("}") or _BARE_NAME.fullmatch(key)):
        return False
    try:
        again = float(value)
    except ValueError:
        return False
    return again == read or (again != again and read != read)


def _renamed_counter(comment: str, counter: str) -> str:
    """The name of the counter whose block begins here when it lacks `_total`; empty for every other block."""
    parts = comment.split(None, 3)
    if len(parts) < 3 or parts[0] != "#" or parts[1] not in ("TYPE", "HELP"):
        return counter
    name = parts[2].strip('"')
    if parts[1] == "HELP":
        return counter if name == counter else ""
    kind = parts[3].strip() if len(parts) > 3 else ""
    return name if kind == "counter" and not name.endswith("_total") else ""


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
