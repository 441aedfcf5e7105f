"""A small run of everything: a detector that is dead, or one that cries wolf, ends it."""

import json
from collections import Counter
from pathlib import Path

import pytest

from evaluation.__main__ import main
from evaluation.alarms import episodes
from evaluation.protocol import HOUR_S, Outcome, Plan, Trial
from evaluation.scoring import OURS, alarms_of, judged, loud

SHAPES = Path(__file__).parents[2] / "evaluation" / "shapes"
ILL = ("hard-outage", "refusal-jump")
QUIET = "batch-job"
MINUTE = 60.0


small_run = pytest.mark.xdist_group("a small run")
"""Tests of one run, which is made once: it takes as long as all the others here."""


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    plan = Plan(
        seed=3,
        shape=SHAPES / "tuning" / "two-peaks.yaml",
        warm_up_s=1.5 * HOUR_S,
        clean_s=0.25 * HOUR_S,
        after_s=20 * MINUTE,
        scenarios=(*ILL, QUIET),
        rivals=False,
    )
    return Trial(plan).run(lambda _: None)


@small_run
@pytest.mark.parametrize("name", ILL)
def test_an_incident_is_found_and_the_right_one_blamed(outcome: Outcome, name: str) -> None:
    played = next(one for one in outcome.played if one.scenario == name)
    verdict = judged(played, alarms_of(played, OURS, {}))
    assert verdict.delay_s is not None
    assert verdict.delay_s <= 15 * MINUTE
    assert verdict.right, f"{verdict.first} blames {verdict.blamed}"


@small_run
def test_nobody_is_called_for_what_is_no_incident(outcome: Outcome) -> None:
    played = next(one for one in outcome.played if one.scenario == QUIET)
    assert played.control
    assert loud(played, played.alarms) == []
    assert episodes(outcome.clean.alarms) == []


@small_run
def test_a_branch_keeps_its_future_to_itself(outcome: Outcome) -> None:
    assert Counter(one.scenario for one in outcome.played) == Counter((*ILL, QUIET))
    assert all(one.end > one.onset for one in outcome.played)
    assert outcome.clean.seconds == 0.25 * HOUR_S


def test_files_from_elsewhere_are_played_and_every_line_is_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text(
        "schemaVersion: 1\nname: mine\nsummary: azure is dead\nparameters: {part: 0.9}\n"
        "tracks: [{target: provider/azure, fault: errors, points: [[0, $part]]}]\nculprit: provider/azure\n"
    )
    shapes = tmp_path / "shapes"
    shapes.mkdir()
    (shapes / "flat.yaml").write_text("night: 0.8\n")
    arguments = ["--scenarios", str(tmp_path), "--shapes", str(shapes), "--seeds", "7:8", "--jobs", "1"]
    hours = ["--warm-up", "0.2", "--weeks", "0.001", "--minutes", "4"]
    main([*arguments, *hours])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    methods = {line["method"] for line in lines if line.get("scenario") == "mine"}
    assert methods == {OURS, "static thresholds", "1 h/5 min burn", "EWMA", "random"}
    assert {line["name"] for line in lines if "goal" in line} >= {"incidents detected", "right culprit"}


def test_the_seeds_of_tuning_are_not_tested_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "9000:9003"]) == 2
    assert "are for tuning" in capsys.readouterr().err


def test_a_file_that_is_no_scenario_is_named_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.yaml").write_text("schemaVersion: 1\nname: mine\nsummary: x\nculprit: nobody\n")
    assert main(["--scenarios", str(tmp_path)]) == 2
    assert "mine.yaml:1: 'nobody' is no culprit" in capsys.readouterr().err
    (tmp_path / "mine.yaml").write_text(
        "schemaVersion: 1\nname: mine\nsummary: x\ntracks: [{target: provider/none, fault: errors, points: [[0, 1]]}]\n"
    )
    assert main(["--scenarios", str(tmp_path)]) == 2
    assert "provider/none is not in this platform" in capsys.readouterr().err
