"""A fault that the console survives is a failure here."""

import pytest

from console.ui.desk_app import DeskApp


@pytest.fixture(autouse=True)
def faults_are_fatal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise what a user would only be told, except in the test of exactly that."""

    def fatal(_: DeskApp, error: Exception) -> None:
        raise error

    if "faults" not in request.module.__name__:
        monkeypatch.setattr(DeskApp, "fault", fatal)
