"""The page about runbooks says what the code does."""

import re
from pathlib import Path

import pytest

from runbooks.functions import FUNCTIONS
from runbooks.loader import lint
from runbooks.reference import SECTIONS, functions, keys

PAGE = Path(__file__).parents[3] / "docs" / "runbooks.md"


def section(begin: str) -> str:
    found = re.search(rf"<!-- {begin}[^>]*-->\n(.*?)<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_keys_and_functions_are_current() -> None:
    assert section("keys") == keys(), "python -m runbooks.reference"
    assert section("functions") == functions(), "python -m runbooks.reference"


@pytest.mark.parametrize(("title", "model"), SECTIONS)
def test_every_key_has_words(title: str, model: type) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []  # type: ignore[attr-defined]


def test_every_function_has_words_and_one_way_to_call_it() -> None:
    assert [name for name, one in FUNCTIONS.items() if not one.docs.endswith(".") or one.least > one.most] == []


def test_the_example_has_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "brownout.yaml"
    path.write_text(section("example").removeprefix("```yaml\n").removesuffix("```\n"), encoding="utf-8")
    assert lint(path) == []
