"""The figures of runbooks: what counts, and how it is told."""

from typing import Any

import pytest

from evaluation.runbooks import main, summary, table
from evaluation.table import put


def row(
    scenario: str, *, holds: bool, control: bool = False, yard: str = "requests", runbook: str = "x"
) -> dict[str, Any]:
    harm = {"failed": 1.0, "wrong": 2.0, "slow": 3.0, "job_hours": 0.0, "usd": 7.0}
    return {
        "scenario": scenario, "seed": 1, "control": control, "runbook": runbook, "yard": yard, "holds": holds,
        "words": "because", "told_s": 60.0, "recovered_s": 300.0, "nothing_s": None, "harm": harm, "nothing": harm,
    }  # fmt: skip


def test_goals_count_incidents_that_can_be_seen_and_controls_apart() -> None:
    rows = [
        row("a", holds=True),
        row("b", holds=False, runbook=""),
        row("unseen", holds=False, yard="nothing"),
        row("quiet", holds=True, control=True, yard="nothing"),
    ]
    goals = {line["name"]: line for line in summary(rows)}
    assert goals["offered and followed"]["value"] == 0.5
    assert goals["over sooner than with nobody acting"]["value"] == 0.5
    assert goals["over sooner than with nobody acting"]["holds"] is False
    assert goals["no harm where nothing is wrong"]["holds"] is True


def test_the_table_stands_between_the_marks_of_its_page(tmp_path: Any) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- proven -->\nwas here\n<!-- /proven -->\nafter\n")
    rows = [row("a", holds=True), row("b", holds=False)]
    put(page, "proven", table(rows, list(summary(rows))))
    text = page.read_text()
    assert "| `a` | x | 1 | 5 | – | 6 | 6 | 7 | 7 | yes |" in text
    assert "**no**: because" in text
    assert "was here" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")


def test_a_page_without_marks_is_refused(tmp_path: Any) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here")
    with pytest.raises(ValueError, match="has no <!-- proven -->"):
        put(page, "proven", [])


def test_scenarios_that_are_not_there_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "nonsense"]) == 2
    assert "no scenario" in capsys.readouterr().err
