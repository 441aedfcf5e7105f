"""For all tests: names that a report can hold, and a heap that is not walked again and again."""

import gc

import pytest

LONGEST_ID = 60


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """A hostile body of ten million characters makes a bad name for its test."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_ID:
        return f"{argname} of {len(val)}"
    return None


def pytest_collection_finish() -> None:
    """Thousands of tests and their modules stay to the end: walking them for garbage costs a ninth of every test."""
    gc.collect()
    gc.freeze()
