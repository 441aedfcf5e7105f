"""Every command as a user types it, on one engine: what it prints, where, and with which exit code."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console import __version__
from console.cli.commands import COMMANDS
from console.cli.demo import environment as demo_of
from console.cli.exits import Exit
from console.cli.main import main
from console.config.reader import demo
from tests.unit.process.place import Place


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory(prefix="sg", ignore_cleanup_errors=True) as name:
        it = Place(Path(name))
        it.configure(access="read-only")
        try:
            yield it
        finally:
            it.clear()


def ok(done: subprocess.CompletedProcess[str], code: int = Exit.OK) -> str:
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout, "nothing that is piped has colours"
    return done.stdout


def state(place: Place) -> dict[str, Any]:
    """What `status --json` prints, however the platform is."""
    found: dict[str, Any] = json.loads(place.switchgear("status", "--json").stdout)
    return found


def test_status_in_words_and_as_json(place: Place) -> None:
    words = ok(place.switchgear("status"))
    assert words.startswith("plant: ok\ntransport: ok, answers: not seen\nSOURCE")
    assert not any(line != line.rstrip() for line in words.splitlines())
    report = json.loads(ok(place.switchgear("status", "plant", "--json")))
    assert (report["environment"], report["level"], report["access"]) == ("plant", "ok", "read-only")
    assert report["sources"][0]["freshness"] == "fresh"
    assert (report["transport"], report["answers"], report["disagreement"]) == ("ok", "not seen", "")
    assert report["incidents"] == []


def test_in_read_only_an_action_may_be_rehearsed_and_is_refused(place: Place) -> None:
    trip = ("act", "trip", "chat-openai", "--reason", "a test")
    for arguments in ((*trip, "--dry-run"), (*trip, "--yes")):
        words = ok(place.switchgear(*arguments), Exit.REFUSED)
        assert "plan: " in words
        assert "read-only" in words
    assert state(place)["overrides"] == []
    assert ok(place.switchgear("reconcile"), Exit.REFUSED) == ""


def test_an_action_from_preview_to_undo(place: Place) -> None:
    trip = ("act", "trip", "chat-openai", "--reason", "a test", "--ttl", "10m", "--operate")
    unasked = place.switchgear(*trip)
    assert "--yes confirms" in unasked.stderr
    assert unasked.returncode == Exit.REFUSED
    words = ok(place.switchgear(*trip, "--yes"))
    for part in (
        "plan: ",
        "way back: ",
        "EFFECT",
        "req/min",
        "GUARD",
        "verified: ",
        "gw-1: shows it",
        "undo: ",
    ):
        assert part in words
    report = state(place)
    assert report["access"] == "read-only", "what the command was granted has been given back"
    (override,) = report["overrides"]
    assert (override["owner"], override["reason"]) != ("", "")
    undone = ok(place.switchgear("act", "restore", override["id"], "--reason", "over", "--operate", "--yes"))
    assert "verified" in undone
    assert state(place)["overrides"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("act", "trip", "chat-opena", "--reason", "x"), Exit.REFUSED, "did you mean chat-openai"),
        (("act", "weight", "chat-openai", "heavy", "--reason", "x"), Exit.REFUSED, "takes a number"),
        (("act", "switch", "chat", "--reason", "x"), Exit.REFUSED, "switch takes where to"),
        (("act", "restore", "chat-openai", "--reason", "x"), Exit.REFUSED, "no active override"),
        (("act", "trip", "chat-openai", "--ttl", "soon"), Exit.USAGE, "no duration"),
        (("act", "explode", "chat-openai"), Exit.USAGE, "invalid choice"),
        (("status", "nowhere"), Exit.CONFIG, "has no environment 'nowhere'"),
        (("status", "nowhere", "--no-start"), Exit.LOST, "no engine of nowhere runs"),
        (("plant",), Exit.CONFIG, "needs a terminal"),
        (("--nonsense",), Exit.USAGE, "unrecognized"),
        (("adapters", "litelm"), Exit.CONFIG, "litellm"),
        (("init",), Exit.CONFIG, "exists already"),
        (("demo", "--scenario", "../x"), Exit.CONFIG, "is no scenario"),
        (("demo", "--scenario", "clam"), Exit.CONFIG, "there are: agent-loop, batch-job, calm"),
        (("demo", "--speed", "fast"), Exit.CONFIG, "is no number"),
        (("demo", "--seed", "1.5"), Exit.CONFIG, "no whole number"),
        (("scenarios", "clam"), Exit.CONFIG, "there are: agent-loop"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_own_code(
    place: Place, arguments: tuple[str, ...], code: Exit, words: str
) -> None:
    done = place.switchgear(*arguments)
    ok(done, code)
    assert words in done.stderr


def test_check_tries_everything_and_prints_a_table(place: Place) -> None:
    words = ok(place.switchgear("check"))
    assert "environments: plant" in words
    assert "operate can be asked for" in words
    assert "gw-1" in words


def test_check_says_when_the_engine_goes_by_an_older_config(place: Place) -> None:
    config = place.folder / "config.yaml"
    ok(place.switchgear("check"))
    later = time.time() + 60
    os.utime(config, (later, later))
    assert "switchgear stop plant" in ok(place.switchgear("check"), Exit.WARN)
    os.utime(config, (0, 0))


def test_the_audit_log_is_listed_and_verified(place: Place) -> None:
    place.switchgear("act", "trip", "chat-openai", "--reason", "for the log", "--operate")
    words = ok(place.switchgear("audit"))
    assert "for the log" in words, "a grant is audited before it counts"
    rows = [json.loads(line) for line in ok(place.switchgear("audit", "--json", "--limit", "1000")).splitlines()]
    assert [row["seq"] for row in rows] == sorted((row["seq"] for row in rows), reverse=True)
    assert ok(place.switchgear("audit", "verify")).startswith("holds: ")


def test_the_analysis_says_what_each_provider_leaves_behind_and_what_is_not_known(place: Place) -> None:
    done = place.switchgear("analysis")
    assert done.returncode in (Exit.OK, Exit.WARN)
    assert "WITHOUT" in done.stdout
    assert "not known: cost: what is usual is known after two hours of history" in done.stdout
    found = json.loads(place.switchgear("analysis", "--json").stdout)
    assert {one["provider"]["name"] for one in found["without"]} >= {"openai", "azure"}
    assert all(layer["factor"] >= 1 for xray in found["retries"] for layer in xray["layers"])


def test_detectors_are_listed_with_what_they_cannot_judge_yet(place: Place) -> None:
    words = ok(place.switchgear("detectors"))
    assert words.startswith("DETECTOR")
    assert "stale-source" in words
    rows = [json.loads(line) for line in ok(place.switchgear("detectors", "--json")).splitlines()]
    assert {"burn-rate", "divergence"} <= {row["name"] for row in rows}


def test_how_far_off_forecasts_were_is_said_once_one_was_compared(place: Place) -> None:
    assert "no forecast has been compared yet" in ok(place.switchgear("calibration"))
    assert ok(place.switchgear("calibration", "--json")) == ""


def test_a_ramp_is_begun_by_a_command_of_its_own_and_a_dry_one_by_who_may_only_read(place: Place) -> None:
    words = ok(place.switchgear("ramp", "chat", "chat-azure", "--stages", "50,100", "--hold", "5m", "--dry-run"))
    assert "shift: succeeded: dry: weight of chat-azure: 40 → 60; refused now: read-only" in words
    refused = place.switchgear("ramp", "chat", "chat-azure")
    assert refused.returncode != Exit.OK
    assert "read-only" in refused.stderr
    wrong = place.switchgear("ramp", "chat", "chat-azure", "--stages", "50,5", "--dry-run")
    assert "'50,5' are no stages" in wrong.stdout + wrong.stderr


def test_adapters_are_listed_and_described(place: Place) -> None:
    words = ok(place.switchgear("adapters"))
    assert "simulator" in words
    assert "litellm" in words
    lines = {line.split()[0]: line for line in words.splitlines()}
    assert "real server" in lines["phoenix"]
    assert all("no server" in lines[name] for name in ("jaeger", "tempo", "langfuse"))
    described = ok(place.switchgear("adapters", "simulator"))
    assert "scenario" in described
    assert "switchgear scenarios" in described
    listed = ok(place.switchgear("scenarios"))
    assert "provider-brownout" in listed
    assert "azure" not in listed, "the list gives no culprit away"
    told = ok(place.switchgear("scenarios", "provider-brownout", "--labels"))
    assert "to blame   provider/azure" in told
    assert json.loads(ok(place.switchgear("scenarios", "--schema")))["properties"]["tracks"]


def test_version_and_help_name_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    own = [name for name in COMMANDS if name != "collect"]
    for arguments in (["--version"], ["--help"], *([name, "--help"] for name in own)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
        said = capsys.readouterr().out
        match arguments:
            case ["--version"]:
                assert said == f"switchgear {__version__}\n"
            case ["--help"]:
                assert all(f"  {name}" in said for name in COMMANDS)
            case [name, _]:
                assert said.startswith(f"usage: switchgear {name}")


def test_the_collector_reads_its_own_arguments(place: Place) -> None:
    done = place.switchgear("collect", "--help")
    assert ok(done).startswith("usage: switchgear collect")
    refused = place.switchgear("collect", "--listen", "0.0.0.0:0")
    assert refused.returncode == Exit.CONFIG
    assert "token" in refused.stderr


def test_a_reader_that_goes_away_is_no_error(place: Place) -> None:
    command = f"{sys.executable} -m console.cli.main audit --json --limit 1000 | head -c 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=place.variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""


def test_a_demo_has_a_name_for_its_scenario_and_speed() -> None:
    assert [demo_of("", ""), demo_of("calm", ""), demo_of("", "2.5")] == ["demo", "demo-calm", "demo-x2.5"]
    built_in = demo(demo_of("provider-brownout", "10"))
    assert built_in is not None
    options = built_in.sources["gateway"].options
    assert (options["scenario"], options["speed"]) == ("provider-brownout", 10.0)
    seeded = demo(demo_of("hard-outage", "2", "7"))
    assert seeded is not None
    options = seeded.sources["jobs"].options
    assert (options["scenario"], options["speed"], options["seed"]) == ("hard-outage", 2.0, 7)


def test_the_engine_runs_in_the_terminal_until_it_is_told_to_end(place: Place) -> None:
    place.switchgear("stop")
    place.until_gone()
    command = [sys.executable, "-m", "console.cli.main", "engine"]
    running = subprocess.Popen(command, env=place.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    place.until_listening()
    assert place.pid() == running.pid, "the command has become the engine"
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 0
    assert "is ready" in errors
    assert "Traceback" not in errors


def test_stopping_what_does_not_run_is_no_error(place: Place) -> None:
    ok(place.switchgear("stop"))
    place.until_gone()
    assert "no engine of plant runs" in place.switchgear("stop").stderr


def heed_ctrl_c() -> None:
    """Tests that were started in the background ignore Ctrl-C, and their children would too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_ends_a_command_that_waits(place: Place) -> None:
    deaf = place.folder / "deaf"
    deaf.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(deaf / "plant.sock"))
        listening.listen()
        command = [sys.executable, "-m", "console.cli.main", "status", "--no-start"]
        variables = {**place.variables, "SWITCHGEAR_RUNTIME_DIR": str(deaf)}
        waiting = subprocess.Popen(
            command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c
        )
        connection, _ = listening.accept()
        with connection:
            assert connection.recv(1000).startswith(b"GET /v1/hello")
            waiting.send_signal(signal.SIGINT)
            said, errors = waiting.communicate(timeout=30)
    assert (waiting.returncode, said, errors) == (Exit.INTERRUPTED, "", "")


def test_ctrl_c_at_the_question_is_a_no_at_once(place: Place) -> None:
    terminal, inside = os.openpty()
    command = [sys.executable, "-m", "console.cli.main", "act", "trip", "chat-openai", "--reason", "x", "--operate"]
    asking = subprocess.Popen(
        command, env=place.variables, stdin=inside, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, bufsize=0, preexec_fn=heed_ctrl_c,
    )  # fmt: skip
    os.close(inside)
    assert asking.stdout is not None
    said = ""
    # How the world stands by then decides which of the two questions it is.
    while not said.endswith(("do it? [y/N] ", "anything else leaves it: ")):
        piece = asking.stdout.read(1)
        assert piece, said
        said += piece
    for _ in range(8):  # Between the prompt and the read behind it Python would notice a signal only after the read.
        asking.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            asking.wait(5)
            break
    _, errors = asking.communicate(timeout=30)
    os.close(terminal)
    assert asking.returncode == Exit.INTERRUPTED
    assert "Traceback" not in errors
    found = state(place)
    assert (found["access"], found["overrides"]) == ("read-only", [])


BOOK = """\
schemaVersion: 1
id: trip-one
title: Keep requests away
parameters:
  deployment: {type: deployment}
steps:
  - id: trip
    action: {verb: trip, target: "${deployment}"}
  - id: look
    manual: {ask: "Look at ${deployment}"}
"""


def test_a_run_is_begun_followed_and_told_what_to_do(place: Place) -> None:
    place.switchgear("stop", "--force")
    (place.folder / "books").mkdir()
    (place.folder / "books" / "book.yaml").write_text(BOOK)
    place.configure(more=f"runbooks: [{place.folder / 'books'}]")
    begun = place.switchgear("runbook", "run", "trip-one", "--param", "deployment=chat-openai", "--yes")
    words = ok(begun, Exit.WARN)
    for part in ("trip: awaiting confirm", "trip: succeeded", "look: awaiting confirm: Look at chat-openai"):
        assert part in words
    runs = [json.loads(line) for line in ok(place.switchgear("runbook", "runs", "--json")).splitlines()]
    (run,) = [one for one in runs if one["runbook"] == "trip-one"]  # a ramp of another test may be there, too
    assert (run["state"], run["current"]) == ("awaiting", "look")
    assert f"`switchgear runbook order {run['id']} done|skip|abort -e plant`" in begun.stderr
    ok(place.switchgear("runbook", "order", run["id"], "abort", "--step", "look"))
    over = ok(place.switchgear("runbook", "watch", run["id"]), Exit.STOPPED)
    assert "trip: rolled back" in over
    assert run["id"] in ok(place.switchgear("runbook", "runs"))
    later = place.switchgear("runbook", "runs", "--since", "0s", "--json")
    assert run["id"] not in ok(later)
    assert "left out: --since 7d, or --all" in later.stderr
    assert run["id"] in ok(place.switchgear("runbook", "runs", "--all"))
    assert state(place)["overrides"] == []
