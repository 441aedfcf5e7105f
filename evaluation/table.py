"""The figures as the tables of a page."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from evaluation.lines import Line
from evaluation.scoring import OURS, WITHIN_MIN


def write(page: Path, found: Sequence[Line]) -> None:
    """Put the tables between the page's marks.

    Raises:
        ValueError: the page has no such marks.
    """
    put(page, "measured", tables(found))


def put(page: Path, mark: str, rows: Iterable[str]) -> None:
    """Put rows between `<!-- MARK -->` and `<!-- /MARK -->` of a page.

    Raises:
        ValueError: the page has no such marks.
    """
    opening, closing = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(opening)
    _, end, after = rest.partition(closing)
    if not begin or not end:
        raise ValueError(f"{page} has no {opening} … {closing} to write between")
    page.write_text(before + opening + "\n" + "\n".join(rows) + "\n" + closing + after, encoding="utf-8")


def tables(found: Sequence[Line]) -> Iterator[str]:
    """All of them, line by line."""
    methods = list(dict.fromkeys(line["method"] for line in found if "scenario" in line))
    yield from _goals(found)
    yield from _methods(found, methods)
    yield from _scenarios(found, methods)
    yield from _controls(found)
    yield from _words(found)


def _goals(found: Sequence[Line]) -> Iterator[str]:
    yield from _head("goal", "wanted", "measured", "holds")
    for line in found:
        if "holds" in line:
            yield f"| {line['name']} | {line['goal']} | {line['value']:g} | {'yes' if line['holds'] else '**no**'} |"
    yield ""


def _methods(found: Sequence[Line], methods: Sequence[str]) -> Iterator[str]:
    soon = [f"≤ {minutes} min" for minutes in WITHIN_MIN]
    yield from _head("all incidents", *soon, "at all", "p50, min", "p90, min", "right culprit", "false episodes a week")
    rates = {line["method"]: line["false episodes a week"] for line in found if "false episodes a week" in line}
    for line in found:
        if line.get("scenario") == "all":
            yield _row(line["method"], *_figures(line), _percent(line["right culprit"]), rates.get(line["method"], "–"))
    yield ""


def _figures(line: Line) -> list[str]:
    soon = [_percent(line[f"detected within {minutes} min"]) for minutes in WITHIN_MIN]
    delays = ["–" if line[key] is None else f"{line[key]:g}" for key in ("p50 delay, min", "p90 delay, min")]
    return [*soon, _percent(line["detected"]), *delays]


def _scenarios(found: Sequence[Line], methods: Sequence[str]) -> Iterator[str]:
    rivals = [method for method in methods if method != OURS]
    yield from _head(
        "incident", "n", "detected", "p50, min", "p90, min", "right culprit", *(f"{r}: at all, p50" for r in rivals)
    )
    by_name: dict[str, dict[str, Line]] = {}
    for line in found:
        if line.get("scenario", "all") != "all":
            by_name.setdefault(line["scenario"], {})[line["method"]] = line
    for name, lines in by_name.items():
        mine = lines[OURS]
        delays = ["–" if mine[key] is None else f"{mine[key]:g}" for key in ("p50 delay, min", "p90 delay, min")]
        others = [_short(lines[rival]) for rival in rivals]
        yield _row(name, mine["n"], _percent(mine["detected"]), *delays, _percent(mine["right culprit"]), *others)
    yield ""


def _short(line: Line) -> str:
    delay = line["p50 delay, min"]
    return _percent(line["detected"]) + ("" if delay is None else f", {delay:g}")


def _controls(found: Sequence[Line]) -> Iterator[str]:
    by_name: dict[str, dict[str, list[bool]]] = {}
    for line in found:
        if "control" in line:
            by_name.setdefault(line["control"], {}).setdefault(line["method"], []).append(line["quiet"])
    if not by_name:
        return
    methods = list(next(iter(by_name.values())))
    yield from _head("control, quiet in", *methods)
    for name, by_method in by_name.items():
        yield _row(name, *(f"{sum(by_method[m])} of {len(by_method[m])}" for m in methods))
    yield ""


def _words(found: Sequence[Line]) -> Iterator[str]:
    """Misses, wrong culprits and false alarms, by name."""
    for line in found:
        if line.get("method") != OURS or line.get("scenario") == "all":
            continue
        for key in ("missed", "wrong culprit"):
            if line.get(key):
                yield f"- {line['scenario']}, {key}: " + "; ".join(_clean(words) for words in line[key][:4])
        if "control" in line and not line["quiet"]:
            yield f"- {line['control']}, {line['where']}, not quiet: {_clean(line['words'][0])}"
        for words in line.get("words", []) if "false episodes a week" in line else []:
            yield f"- false: {_clean(words)}"


def _clean(words: str) -> str:
    return words.replace("\n", " ").replace("|", "/")


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield "|" + "---|" * len(names)


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _percent(part: float | None) -> str:
    return "–" if part is None else f"{100 * part:.0f} %"
