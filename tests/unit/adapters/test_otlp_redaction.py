"""What must not be kept is nowhere in the file, in whatever part of a span it came, and in whatever form."""

import asyncio
import sqlite3
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson
from hypothesis import given
from hypothesis import strategies as st

from adapters.otel import Aliases, Limits, from_protobuf
from adapters.otel.values import CUT
from adapters.otlp.bodies import unpack
from adapters.otlp.collect import settings_of
from adapters.otlp.http_forms import Body, Form, Packing
from adapters.otlp.intake import Intake
from adapters.otlp.redaction import DEFAULTS, Redaction, Rule, read_rules
from adapters.otlp.redaction.screen import BEYOND
from adapters.otlp.redaction.texts import MATCHES_MOST, Texts
from adapters.otlp.retention import Retention
from console.domain.errors import ConfigError
from console.domain.spans import Span
from tests.unit.adapters.spans_sent import BEGIN_NS, Sent, message

SECRET = "hunter2-0f9e8d"
NUMBER = 4_929_123_412_341_234
RULES = (
    Rule(name="secret", pattern=r"hunter2-[0-9a-f]+"),
    Rule(name="card", pattern=r"\b4929[0-9]{12}\b"),
    Rule(name="header", attributes=("http.request.header.*",)),
)


def everywhere() -> list[Sent]:
    """The secret in every place of a span that a sender may fill."""
    said = f"it is {SECRET}, really"
    return [
        Sent(
            1, name=f"GET /{SECRET}", failed=True, message=f"refused: {said}",
            attributes={
                "input.value": said,
                "session.id": SECRET,
                "gen_ai.data_source.id": SECRET,
                "retrieval.snapshot.version": SECRET,
                "gen_ai.prompt.name": SECRET,
                "nested": {"inner": [said, {"deep": said, SECRET: 1}]},
                f"name.{SECRET}": "x",
                "card": NUMBER,
                "cards": [NUMBER, f"{NUMBER}"],
                "http.request.header.x": "spelled out",
                "bytes": said.encode(),
            },
            events=[
                (f"event {SECRET}", {"exception.message": said}),
                ("exception", {"exception.type": SECRET, "exception.message": said, "exception.stacktrace": said}),
            ],
        ),
        Sent(2, 1, name="work", failed=True, attributes={"error.type": SECRET, "app.worker": SECRET}),
    ]  # fmt: skip


async def kept(path: Path, data: bytes, form: Form, rules: Sequence[Rule]) -> bytes:
    """Everything that is in the files while the collector runs, and after."""
    intake = Intake(path, Retention(1e9, 2**40), lambda: BEGIN_NS / 1e9, rules=rules)
    intake.start()
    await intake.keep(Body(form, Packing.NONE, data))
    found = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0
    intake.close()
    await asyncio.to_thread(intake.join)
    return found + b"".join(each.read_bytes() for each in path.parent.iterdir())


def cells(path: Path) -> list[str]:
    """Everything that the file's tables say, bodies unpacked."""
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = [str(row) for name in names for row in connection.execute(f"SELECT * FROM {name}")]
    found += [str(unpack(body)[0]) for (body,) in connection.execute("SELECT body FROM spans")]
    connection.close()
    return found


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("rules", [RULES, ()], ids=["redacted", "as it came"])
async def test_what_is_redacted_is_nowhere_in_the_file(tmp_path: Path, form: Form, rules: Sequence[Rule]) -> None:
    request = message(
        *everywhere(), service=f"shop {SECRET}", **{"service.version": SECRET, "service.instance.id": SECRET}
    )
    data = request.SerializeToString() if form is Form.PROTOBUF else MessageToJson(request).encode()
    path = tmp_path / "spans.sqlite"
    raw, told = await kept(path, data, form, rules), " ".join(cells(path))
    for secret in (SECRET, str(NUMBER), "spelled out"):
        assert (secret in told) is not bool(rules)  # without rules the search itself finds it
    assert (SECRET.encode() in raw) is not bool(rules)
    assert (b64encode(f"it is {SECRET}, really".encode()).decode() in told) is not bool(rules)
    if rules:
        assert "it is ‹redacted: secret›, really" in told
        assert "'card': '‹redacted: card›'" in told
        assert "'http.request.header.x': '‹redacted: header›'" in told
        assert "GET /‹redacted: secret›" in told
        assert "shop ‹redacted: secret›" in told


def redacted(*rules: Rule, limits: Limits | None = None, **attributes: Any) -> Span:
    limits = limits or Limits()
    screen = Redaction(rules, limits)
    sent = message(Sent(1, attributes={name.replace("__", "."): value for name, value in attributes.items()}))
    return from_protobuf(sent.SerializeToString(), Aliases.of(), screen.wide, screen).arrivals[0].span


def test_attributes_go_by_name_whatever_their_letters_and_wherever_they_lie() -> None:
    rule = Rule(name="who", attributes=("user.*", "*Token"))
    found = redacted(
        rule, user__id="u1", USER__NAME=["a"], my_token=7, users="kept", nest={"user": {"id": 1}, "aToken": 2, "b": 3}
    ).attributes
    assert found["user.id"] == found["USER.NAME"] == found["my_token"] == "‹redacted: who›"
    assert found["users"] == "kept"
    assert found["nest"] == {"user": {"id": 1}, "aToken": "‹redacted: who›", "b": 3}
    inside = redacted(Rule(name="who", attributes=("nest.user.*",)), nest={"user": {"id": 1}}).attributes
    assert inside["nest"] == {"user": {"id": "‹redacted: who›"}}


def test_a_rule_with_both_looks_in_those_attributes_alone() -> None:
    rule = Rule(name="id", attributes=("ticket.*",), pattern="[A-Z]+-[0-9]+")
    found = redacted(rule, ticket__text="see OPS-12", other="see OPS-12").attributes
    assert found == {"ticket.text": "see ‹redacted: id›", "other": "see OPS-12"}


def test_what_overlaps_goes_as_one_and_the_first_names_it() -> None:
    rules = (Rule(name="a", pattern="bcd"), Rule(name="b", pattern="abc"), Rule(name="c", pattern="de+f"))
    assert redacted(*rules, x="1 abcdeef 2").attributes["x"] == "1 ‹redacted: b› 2"
    assert redacted(*rules, x="bcd abc").attributes["x"] == "‹redacted: a› ‹redacted: b›"


@given(st.text(alphabet="abcx ü€", max_size=60))
def test_nothing_that_matches_is_left_and_nothing_else_goes(text: str) -> None:
    found = Texts([("one", "ab+"), ("two", "x{2,}")]).screened(text)
    left = found.replace("‹redacted: one›", "|").replace("‹redacted: two›", "|")
    assert "ab" not in left
    assert "xx" not in left
    pieces = [piece for piece in left.split("|") if piece]
    assert all(piece in text for piece in pieces)
    if "ab" not in text and "xx" not in text:
        assert found == text


def test_a_secret_on_the_edge_of_what_is_kept_goes_whole() -> None:
    limits = Limits(text=1_000)
    rule = Rule(name="key", pattern="key-[0-9]{20,}")
    for before in range(900, 1_010):
        text = "x" * before + " key-" + "7" * 400 + " " + "y" * 500
        found = redacted(rule, limits=limits, x=text, nest={"x": text}).attributes
        assert "777" not in str(found)
        assert len(found["x"]) <= 1_000
        assert found[CUT] == ["x"]


def test_a_text_longer_than_is_searched_is_still_cut_where_others_are() -> None:
    found = redacted(Rule(name="key", pattern="key"), limits=Limits(text=100), x="y" * (BEYOND + 500)).attributes
    assert found == {"x": "y" * 100, CUT: ["x", "x"]}


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(a|aa)+$", "a*a*a*a*a*b", r"[\w.+-]+@[\w-]+\.[\w.]+"])
def test_no_expression_and_no_text_hold_the_writer_up(pattern: str) -> None:
    """Python's own `re` would not come back from these before the test's time is over."""
    text = "a" * 65_536 + "!"
    assert redacted(Rule(name="slow", pattern=pattern), x=text).attributes["x"] == text[:65_536]


def test_a_text_full_of_matches_goes_whole() -> None:
    found = redacted(Rule(name="vowel", pattern="[aeiou]"), x="ab " * 2 * MATCHES_MOST).attributes
    assert found["x"] == "‹redacted: vowel›"


def test_rules_that_are_too_large_together_are_applied_one_by_one() -> None:
    rules = [Rule(name=f"r{n}", pattern=rf"(?P<same>{n}-\pL{{60}})x") for n in range(40)]
    assert redacted(*rules, x="see 39-" + "ü" * 60 + "x").attributes["x"] == "see ‹redacted: r39›"
    assert redacted(*rules, x="see 39-x").attributes["x"] == "see 39-x"


def test_facts_are_made_of_what_is_left() -> None:
    span = redacted(Rule(name="who", attributes=("session.id",)), session__id="mary", gen_ai__request__model="m")
    assert span.facts.conversation == "‹redacted: who›"
    assert span.facts.request_model == "m"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abc.def-123456", "Authorization: ‹redacted: bearer-token›"),
        ("use sk-proj-0123456789abcdefghij now", "use ‹redacted: api-key› now"),
        ("OPENAI_sk-0123456789abcdefghij", "OPENAI‹redacted: api-key›"),
        ("sk_live_0123456789abcdef", "‹redacted: api-key›"),
        ("AKIAIOSFODNN7EXAMPLE", "‹redacted: api-key›"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ012345", "‹redacted: api-key›"),
        ("write to jane.doe+x@mail.example.org.", "write to ‹redacted: e-mail›."),
        ("jörg@bücher.example", "‹redacted: e-mail›"),
        ("postgres://app:s3cret@db/prod", "postgres‹redacted: password-in-url›db/prod"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "‹redacted: json-web-token›"),
        ("ask the desk-side risk-assessment team at 12:30, see http://host:8080/x@y", None),
        ("gpt-4o-2024-11-20", None),
        ("task-0123456789abcdefghijkl", None),
    ],
)
def test_the_rules_that_come_with_it(text: str, left: str | None) -> None:
    assert redacted(*DEFAULTS, x=text).attributes["x"] == (left or text)


@pytest.mark.parametrize("name", ["http.request.header.authorization", "llm.API-Key", "db.password", "set-cookie"])
def test_attributes_that_are_called_like_credentials_go_whole(name: str) -> None:
    screen = Redaction(DEFAULTS, Limits())
    sent = message(Sent(1, attributes={name: "x"})).SerializeToString()
    (one,) = from_protobuf(sent, Aliases.of(), screen.wide, screen).arrivals
    assert one.span.attributes == {name: "‹redacted: credentials›"}


GOOD = """\
rules:
  - name: customer
    attributes: ["app.customer.*"]
  - name: order
    pattern: ORD-[0-9]{6,}
"""


def test_a_file_of_rules_is_read(tmp_path: Path) -> None:
    path = tmp_path / "redact.yaml"
    path.write_text(GOOD)
    rules = read_rules(path)
    assert [(one.name, one.attributes, one.pattern) for one in rules] == [
        ("customer", ("app.customer.*",), None),
        ("order", (), "ORD-[0-9]{6,}"),
    ]
    assert settings_of(["--redact", str(path)]).rules == rules
    assert settings_of(["--redact", str(path), "--redact-defaults"]).rules == (*rules, *DEFAULTS)
    assert settings_of(["--redact-defaults"]).rules == DEFAULTS
    assert settings_of([]).rules == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (GOOD.replace("ORD-[0-9]{6,}", "'(?=x)y'"), 5, "look-around"),
        (GOOD.replace("ORD-[0-9]{6,}", "'(x'"), 5, "missing )"),
        (GOOD.replace("ORD-[0-9]{6,}", "'x*'"), 5, "match everywhere"),
        (GOOD.replace("ORD-[0-9]{6,}", "'((x{1000}){1000}){1000}'"), 5, "RE2"),
        (GOOD.replace("    pattern: ORD-[0-9]{6,}\n", ""), 4, "`attributes`, `pattern` or both"),
        (GOOD.replace("pattern:", "patern:"), 5, "did you mean pattern?"),
        (GOOD.replace("name: order", "name: Order Number"), 4, "pattern"),
        ("rules: []\n", 1, "at least 1"),
        ("- name: x\n", 1, "`rules:`"),
        ("rules: [\n", 2, "expected"),
    ],
)
def test_a_file_with_a_fault_is_refused_with_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "redact.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        settings_of(["--redact", str(path)])
    assert f"{path}:{line}: " in str(caught.value)
    assert words in str(caught.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        settings_of(["--redact", str(tmp_path / "none.yaml")])
