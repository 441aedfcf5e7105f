"""Files: each fault is named with its line, all at once, and none of them hides another."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console.domain.errors import ConfigError
from console.domain.text import printable
from runbooks import json_schema
from runbooks.json_schema import SHIPPED
from runbooks.loader import LIBRARY, MOST, Book, Faulty, books, library, lint, load, parsed
from runbooks.surroundings import Around

GOOD = """\
schemaVersion: 1
id: brownout
title: A provider is slow
match:
  - {rule: latency, kind: deployment, culprit: provider/*, when: alert.severity != "notice"}
parameters:
  target: {type: deployment, from: alert.name}
  route: {type: route, from: route_of(target)}
  other: {type: deployment, from: 'alternative(route, target)'}
  patience: {type: duration, default: 5m}
preconditions:
  - {condition: room(other) > 1.3 * requests(target), words: '${other} has room'}
steps:
  - id: look
    check: p95(target) > 1.5 * usual(target, "p95")
    onFailure: calm
  - id: away
    title: Trip ${target}
    action: {verb: trip, target: '${target}', ttl: 30m}
    verify: {successCondition: requests(target) < 1, interval: 5s, timeout: 2m}
    rollback: {verb: reset, target: '${target}'}
  - id: way
    branch:
      - {when: p95(route) > 4, goto: calm}
      - {goto: end}
  - id: calm
    wait: {until: 'p95(route) < 4 || step_s > patience', for: 1m}
"""


def file(folder: Path, text: str, name: str = "one.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_has_no_fault(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD)
    assert lint(path) == []
    book = load(path)
    assert (book.runbook.id, book.path, book.text, book.shipped) == ("brownout", path, GOOD, False)
    assert book.hash == sha256(path.read_bytes()).hexdigest()
    assert parsed(book.text, path) == book


def test_the_hash_is_of_the_bytes_line_ends_and_all(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert load(path).hash == sha256(path.read_bytes()).hexdigest()
    assert load(path).runbook == load(file(tmp_path, GOOD, "two.yaml")).runbook


def replaced(old: str, new: str) -> tuple[str, int]:
    """The good file with one thing changed, and the line on which it stands."""
    assert old in GOOD
    return GOOD.replace(old, new, 1), GOOD[: GOOD.index(old)].count("\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("schemaVersion: 1", "schemaVersion: 2", "schemaVersion: input should be 1"),
        ("id: brownout", "id: Brown Out", "id: string should match pattern"),
        ("rule: latency", "rule: '****'", "match.0.rule: a rule has 1 to 3 * for any part"),
        ("kind: deployment", "kind: depl", "match.0.kind: there is no kind 'depl'"),
        ("culprit: provider/*", "culprit: vendor/*", "match.0.culprit: a culprit is a provider"),
        ('alert.severity != "notice"', "alert.severty != ''", "match.0.when: column 7: alert has no severty"),
        ('alert.severity != "notice"', "run_s > 1", "match.0.when: nothing here is called run_s"),
        ("target: {type", "in: {type", "parameters.in: no parameter can be called in"),
        ("type: deployment, from: alert.name", "type: depl, from: alert.name",
         "parameters.target.type: input should be"),
        ("from: route_of(target)", "from: route_of(other)", "parameters.route.from: nothing here is called other"),
        ("default: 5m", "default: soon", "parameters.patience.default: 'soon' is no duration"),
        ("default: 5m", "default: 5m, minimum: 10, maximum: 1", "parameters.patience.minimum: the minimum (10)"),
        ("type: duration, default: 5m", "type: duration, hidden: true",
         "parameters.patience.hidden: what is asked of nobody has a `default`"),
        ("default: 5m", "default: 5m, choices: [a]", "parameters.patience.choices: only a choice has choices"),
        ("type: duration, default: 5m", "type: choice", "parameters.patience: a choice has `choices`"),
        ("type: duration, default: 5m", "type: choice, choices: [a], default: b",
         "parameters.patience.default: it is one of a"),
        ("room(other) > 1.3", "rom(other) > 1.3", "preconditions.0.condition: column 1: there is no function rom"),
        ("room(other) > 1.3 * requests(target)", "room(other)",
         "condition: it gives a value, and has to be true or false"),
        ("'${other} has room'", "'${othr} has room'", "preconditions.0.words: there is no parameter 'othr'"),
        ('p95(target) > 1.5 * usual(target, "p95")', "p95(${target}) > 1", "steps.0.check:"),
        ("onFailure: calm", "onFailure: colm", "steps.0.onFailure: there is no step 'colm'; later ones are: away"),
        ("id: away", "id: look", "steps.1.id: the step look is there twice"),
        ("id: away", "id: end", "steps.1.id: no step can be called end"),
        ("verb: trip", "verb: tripp", "steps.1.action.verb: input should be"),
        ("verb: trip", "verb: reissue", "steps.1.action.verb: a runbook has no reissue"),
        ("verb: trip", "verb: weight", "steps.1.action: weight needs `weight`"),
        ("verb: trip", "verb: switch", "steps.1.action: switch needs `to`"),
        ("verb: trip", "verb: pause", "steps.1.action.target: target is a deployment, and a queue is wanted"),
        ("verb: trip, target: '${target}'", "verb: trip, target: chat",
         "steps.1.action.target: 'chat' does not say what it is"),
        ("verb: trip, target: '${target}'", "verb: trip, target: route/x",
         "steps.1.action.target: 'route' is no deployment"),
        ("verb: trip, target: '${target}'", "verb: trip, target: '${targt}'", "there is no parameter 'targt'"),
        ("ttl: 30m", "to: x", "steps.1.action.to: trip takes no `to`"),
        ("ttl: 30m", "ttl: 30 parsecs", "steps.1.action.ttl: '30 parsecs' is no duration"),
        ("ttl: 30m", "tll: 30m", "steps.1.action.tll: unknown key; did you mean ttl?"),
        ("successCondition: requests(target) < 1, ", "", "steps.1.verify: a verification has `successCondition`"),
        ("interval: 5s", "interval: 0s", "steps.1.verify.interval: input should be greater than or equal to 1"),
        ("verb: reset", "verb: weight", "weight needs `weight`"),
        ("goto: calm", "goto: look", "steps.2.branch.0.goto: look does not come later"),
        (
            "check: p95(target)", "ramp: {route: '${route}', to: '${other}', hold: '${other}'}\n    chck: p95(target)",
            "steps.0.ramp.hold: ${other} is a deployment, and a duration is wanted",
        ),
        (
            "check: p95(target) > 1.5", "ramp: {route: '${other}', to: x}\n    chck: p95(target) > 1.5",
            "steps.0.ramp.route: other is a deployment, and a route is wanted",
        ),
        ("goto: end", "goto: nowhere", "steps.2.branch.1.goto: there is no step 'nowhere'"),
        ("step_s > patience", "steps > patience", "steps.3.wait.until: nothing here is called steps"),
        ("    wait: {until", "    check: healthy(route)\n    wait: {until", "steps.3: a step has exactly one of"),
        ("steps:\n", "steps: []\nstps:\n", "steps: tuple should have at least 1 item"),
        ("schemaVersion: 1\n", "", ":1: schemaVersion: is missing, and has to be there"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    text, line = replaced(old, new)
    path = file(tmp_path, text)
    found = [fault for fault in lint(path) if words in fault]
    assert found, lint(path)
    assert all(fault.startswith(f"{path}:") for fault in lint(path))
    number = int(found[0].removeprefix(f"{path}:").partition(":")[0])
    assert abs(number - line) <= 1, found[0]


def test_all_faults_are_told_at_once_and_in_order(tmp_path: Path) -> None:
    text = GOOD.replace("id: brownout", "id: B").replace("room(", "rom(").replace("goto: calm", "goto: c")
    text = text.replace("verb: trip", "verb: weight").replace("  - id: way\n", "  - id: way\n    wehn: 'true'\n")
    lines = [int(fault.split(":")[1]) for fault in lint(file(tmp_path, text))]
    assert lines == sorted(lines)
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it has to hold a runbook"),
        ("- 1\n", "it has to hold a runbook"),
        ("a: [", "expected"),
        ("a: &a [1]\nb: *c\n", "found undefined alias"),
        ("? [a]\n: 1\n", "keys should be strings"),
        ("a: 2026-99-99 10:00:00\n", "this is no YAML that can be read: month must be in 1..12"),
        ("id: a\nid: b\n", 'found duplicate key "id"'),
        ("a: " + "[" * 3000, "nested too deeply"),
        (
            "steps: 5\nparameters: 7\nmatch: x\nschemaVersion: 1\nid: a\ntitle: x\n",
            "steps: input should be a valid tuple",
        ),
        ("steps: [5, null, [1], {id: 7}]\nschemaVersion: 1\nid: a\ntitle: x\n", "steps.0"),
        ("parameters: {a: 5, 7: {type: text}}\nsteps: [{id: a, check: 'true'}]\n", "parameters.a"),
    ],
)
def test_what_is_no_runbook_is_said(tmp_path: Path, text: str, words: str) -> None:
    found = lint(file(tmp_path, text))
    assert any(words in fault for fault in found), found
    with pytest.raises(ConfigError):
        load(tmp_path / "one.yaml")


def test_a_file_that_everybody_can_write_is_no_runbook(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD)
    path.chmod(0o666)
    assert "can be written by everybody" in lint(path)[0]
    assert "cannot be read" in lint(tmp_path / "none.yaml")[0]


def test_folders_stand_beside_and_before_what_is_shipped(tmp_path: Path) -> None:
    ours = library()[0].runbook.id
    file(tmp_path, GOOD, "a.yaml")
    file(tmp_path, GOOD, "b.yml")
    file(tmp_path, "id: x", "c.yaml")
    file(tmp_path, GOOD.replace("id: brownout", f"id: {ours}"), "d.yaml")
    file(tmp_path, "not one", "notes.txt")
    found = books([tmp_path, tmp_path / "missing"])
    good = {one.runbook.id: one for one in found if isinstance(one, Book)}
    bad = {one.path.name: one.faults for one in found if isinstance(one, Faulty)}
    assert len(good) == len(library()) + 1
    assert good[ours].path == tmp_path / "d.yaml"
    assert not good[ours].shipped
    assert set(bad) == {"b.yml", "c.yaml", "missing"}
    assert "brownout is the runbook in" in bad["b.yml"][0]


def test_the_shipped_ones_have_no_faults_and_are_known_to_be_shipped() -> None:
    assert len(library()) == len(list(LIBRARY.glob("*.yaml"))) >= 12
    assert all(one.shipped for one in library())
    assert len({one.runbook.id for one in library()}) == len(library())
    assert all(one.path.stem == one.runbook.id for one in library())


def test_the_shipped_schema_is_current() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == json_schema.text(), "python -m runbooks.json_schema"
    described = json.loads(SHIPPED.read_text(encoding="utf-8"))
    assert "onFailure" in described["$defs"]["Step"]["properties"]
    assert described["required"] == ["schemaVersion", "id", "title", "steps"]


_PIECES = st.sampled_from(
    ["[", "]", "{", "}", ": ", "- ", "\n", "  ", '"', "'", "${", "&a ", "*a", "!!python/object/apply:os.system ",
     "null", "true", "1e999", ".nan", "<<: *a", "|\n", "? ", "#", "\t", "\x00", "9" * 40, "2020-01-01", "---\n",
     "steps:", "é"]
)  # fmt: skip


@given(cuts=st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 30), _PIECES), min_size=1, max_size=6))
@example(cuts=[(30, 26, "? ")])
@settings(max_examples=50, deadline=None)
def test_a_mangled_file_is_a_runbook_or_has_faults_with_lines(cuts: list[tuple[int, int, str]]) -> None:
    text, path = GOOD, Path("one.yaml")
    for at, length, piece in cuts:
        text = text[:at] + piece + text[at + length :]
    assert all(fault.startswith("one.yaml") for fault in _faults(text, path))


def _faults(text: str, path: Path) -> list[str]:
    try:
        parsed(text, path)
    except ConfigError as error:
        return str(error).splitlines()
    return []


HEAD = "schemaVersion: 1\nid: odd\ntitle: Odd\n"
ONE = "steps: [{id: one, check: 'true'}]\n"


def step(body: str) -> str:
    """A runbook with one step, on line 4."""
    return f"{HEAD}steps: [{{id: one, {body}}}]\n"


def parameter(body: str) -> str:
    """A runbook with one parameter, on line 4."""
    return f"{HEAD}parameters: {{a: {{{body}}}}}\n{ONE}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (step("wait: {for: true}"), ":4: steps.0.wait.for: true is no duration"),
        (step("wait: {for: .nan}"), ":4: steps.0.wait.for: input should be greater than or equal to 0"),
        (step("wait: {for: " + "9" * 5000 + "}"), ":4: a number of so many digits"),
        (step("branch: []"), ":4: steps.0.branch: a branch has at least one turn"),
        (step("action: {verb: replay, target: queue/a, per_s: -5}"), ":4: steps.0.action.per_s: a rate is more than 0"),
        (step("action: {verb: replay, target: queue/a, per_s: .nan}"), ":4: steps.0.action.per_s: a rate is more"),
        (step("action: {verb: weight, target: deployment/a, weight: lots}"), ":4: steps.0.action.weight: a weight"),
        (step(f"command: {{name: a, args: [{'a, ' * 33}]}}"), ":4: steps.0.command.args: a config lets"),
        (step(f"ramp: {{route: route/a, to: deployment/b, stages: {list(range(1, 60))}}}"), "at most 50 stages"),
        (parameter("type: number, default: true"), ":4: parameters.a.default: true and false are no values"),
        (parameter("type: number, minimum: .nan"), ":4: parameters.a.minimum: it is a number that ends"),
        (parameter("type: number, default: " + "9" * 4000), ":4: parameters.a.default: it is a number; not '999"),
        (parameter("type: text, default: '${a}'"), ":4: parameters.a.default: a default is taken as it is"),
        (parameter("type: text, default: a") + "summary: '${a'\n", ":6: summary: `${` begins the name of a parameter"),
        (HEAD + "parameters: {\"a\\n\": {type: text}}\n" + ONE, ":4: parameters.a\ufffd: a name here is made of"),
        (HEAD + "x: &x\n  <<: *x\n" + ONE, "an alias (*name) or a merge (<<) leads to itself"),
        (HEAD + "b: &b {}\n" + "".join(f"k{one}: {{<<: *b}}\n" for one in range(21)) + ONE, "it merges (<<) 21 times"),
        (HEAD + ONE.replace("true", "tr\0ue"), ":4: unacceptable character #x0000"),
        (HEAD + ONE + "---\na: 1\n", ":5: expected a single document in the stream, but found another"),
        (HEAD + "".join(f"k{one}: 1\n" for one in range(10_000)) + ONE, "lines, commas and brackets, and may"),
        (HEAD + f"x: [{'[]' * 10_000}]\n" + ONE, "lines, commas and brackets, and may have 10,000"),
        (HEAD + f"x: '{'a' * 400_000}'\n" + ONE, "bytes, and may have 400,000"),
    ],
)  # fmt: skip
def test_a_hostile_file_has_one_clear_fault_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = file(tmp_path, text)
    found = lint(path, Around())
    assert len([fault for fault in found if "unknown key" not in fault]) == 1, found
    assert any(words in fault for fault in found), found
    assert all(fault.startswith(str(path)) and printable(fault) == fault for fault in found)


def test_of_countless_faults_the_first_are_told(tmp_path: Path) -> None:
    path = file(tmp_path, HEAD + "".join(f"k{one}: 1\n" for one in range(500)) + ONE)
    for found in (lint(path), lint(path, Around())):
        assert len(found) == 101
        assert found[0].startswith(f"{path}:4: k0: unknown key")
        assert found[-1] == f"{path}: and 400 more"


def test_what_is_no_ordinary_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    (tmp_path / os.fsdecode(b"caf\xe9.yaml")).write_text(GOOD)
    (tmp_path / "new\nline\x1b[31m.yaml").write_text(GOOD)
    file(tmp_path, GOOD, "good.yaml")
    found = [one for one in books([tmp_path, tmp_path / "nowhere"]) if not isinstance(one, Book) or not one.shipped]
    faults = {one.path.name: one.faults[0] for one in found if isinstance(one, Faulty)}
    assert [one.runbook.id for one in found if isinstance(one, Book)] == ["brownout"]
    for name in ("fifo", "zero", "folder"):
        assert "it is a folder, a pipe or a device" in faults.pop(f"{name}.yaml")
    assert "Too many levels of symbolic links" in faults.pop("loop.yaml")
    assert faults.pop("nowhere") == f"{tmp_path}/nowhere cannot be read: No such file or directory"
    assert sorted(faults) == ["caf\ufffd.yaml", "new\ufffdline\ufffd[31m.yaml"]
    assert all("has a name that cannot be shown: rename it" in words for words in faults.values())


def test_a_folder_with_too_many_files_says_so(tmp_path: Path) -> None:
    for number in range(MOST + 1):
        (tmp_path / f"{number:03}.yaml").write_text("")
    found = [one for one in books([tmp_path]) if isinstance(one, Faulty)]
    assert len(found) == MOST + 1
    assert found[0].faults == (f"{tmp_path} has 501 runbooks, and may have 500: the last of them are not read",)


AROUND = Around(commands={"failover": 1, "page": 0}, objectives=("chat",))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("rule: latency", "rule: latncy", "match.0.rule: no alert has the rule 'latncy'; did you mean latency?"),
        ("rule: latency", "rule: lat*", ""),
        ("rule: latency", "rule: '*'", ""),
        ("rule: latency", "rule: finish", ""),
        ("rule: latency", "rule: finish/lenght", "did you mean finish/length?"),
        ("rule: latency", "rule: divergence/lost-write", ""),
        ("rule: latency", "rule: stuck-workflow/checkout", ""),
        ("rule: latency", "rule: burn-rate/chat", ""),
        ("rule: latency", "rule: burn-rate/chta", "did you mean burn-rate/chat?"),
        ("p95(route) > 4, ", "firing('latncy'), ", "steps.2.branch.0.when: column 8: no alert has the rule 'latncy'"),
        ("p95(route) > 4, ", "'firing(\"errors\", route)', ", ""),
        ("check: p95(target)", "command: {name: failver}\n    chck: p95(target)",
         "steps.0.command.name: the config has no command 'failver'; did you mean failover?; it has: failover, page"),
        ("check: p95(target)", "command: {name: page, args: [now]}\n    chck: p95(target)",
         "steps.0.command.args: the config lets a runbook add 0 arguments to page, and here are 1"),
    ],
)  # fmt: skip
def test_what_the_surroundings_do_not_have_is_a_fault(tmp_path: Path, old: str, new: str, words: str) -> None:
    text, line = replaced(old, new)
    path = file(tmp_path, text)
    more = [fault for fault in lint(path, AROUND) if fault not in lint(path)]
    if not words:
        assert more == []
        return
    assert len(more) == 1, more
    assert words in more[0]
    assert more[0].startswith(f"{path}:{line}: ")


def test_without_a_config_no_command_and_no_objective_is_a_fault(tmp_path: Path) -> None:
    text = GOOD.replace("rule: latency", "rule: burn-rate/any").replace(
        'check: p95(target) > 1.5 * usual(target, "p95")', "command: {name: any}"
    )
    assert lint(file(tmp_path, text), Around()) == []


def test_every_shipped_runbook_names_rules_that_there_are() -> None:
    assert [fault for book in library() for fault in lint(book.path, Around())] == []
