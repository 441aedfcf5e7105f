"""The page for operators says what the code does."""

import re
from pathlib import Path

from console.cli.exits import Exit
from console.config.model import Config
from console.config.reference import rows_of, table

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"


def section(begin: str) -> str:
    found = re.search(rf"<!-- {begin}[^>]*-->\n(.*?)<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def test_the_config_reference_is_current() -> None:
    assert section("config reference") == table(), "python -m console.config.reference"


def test_every_key_has_words() -> None:
    assert [key for key, _, _, words in rows_of(Config.model_json_schema()) if not words] == []


def test_every_exit_code_is_listed() -> None:
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", section("exit codes"), re.MULTILINE)]
    assert codes == [code.value for code in Exit]
