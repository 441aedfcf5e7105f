"""The page about conventions says what the code does."""

import re
from pathlib import Path

from adapters.otel.flat import LISTS
from adapters.otel.names import DEFAULTS, ONLY
from adapters.otel.values import Limits

PAGE = (Path(__file__).parents[3] / "docs" / "backends" / "conventions.md").read_text()


def _row(field: str) -> str:
    names = (f"`{name}`{_only(name)}" for name in DEFAULTS[field])
    return f"| `{field}` | {', '.join(names)} |"


def _only(name: str) -> str:
    kinds = ONLY.get(name)
    return f" ({'/'.join(sorted(kinds))} only)" if kinds else ""


def test_its_table_of_names_is_the_codes() -> None:
    table = "\n".join(("| field | attributes |", "|---|---|", *(_row(field) for field in DEFAULTS)))
    assert table in PAGE, f"the table is now:\n{table}"


def test_it_names_the_lists_and_the_limits() -> None:
    assert not [name for name in LISTS if f"`{name}.N" not in PAGE]
    limits = Limits()
    told = re.findall(r"\d[\d,]*", PAGE)
    assert {f"{number:,}" for number in (limits.attributes, limits.listed, limits.text)} <= set(told)
