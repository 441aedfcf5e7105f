"""`switchgear runbook test`: what it says when it cannot try, before any time is spent."""

import pytest

from console.cli.exits import Exit
from console.cli.main import main


def test_what_is_not_there_is_said_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["runbook", "test", "nonsense", "--scenario", "calm"]) == Exit.CONFIG
    assert "there is no runbook 'nonsense'" in capfd.readouterr().err
