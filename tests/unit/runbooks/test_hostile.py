"""Conditions by somebody who means harm, over names by a backend that does: nothing raises or runs away."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from console.domain.readings import Deployment
from console.domain.refs import Kind, Ref
from console.domain.text import printable
from runbooks.expressions import ExpressionFault, compiled, find, judge
from runbooks.functions import FUNCTIONS
from runbooks.tokens import alike, tokens
from tests.unit.runbooks.scene import SLOW, Scene, alert

BOMBS = {
    "nesting": "(" * 200 + "1" + ")" * 200,
    "open brackets": "{1:" * 130,
    "lists": "[" * 400,
    "negations": "!" * 900 + "true",
    "minus": "-" * 900 + "1",
    "a long one": "true || " * 200 + "true",
    "a chain": "1 < " * 240 + "1",
    "sums": "1+" * 400 + "1 > 0",
    "a walk in a walk": "deployments('chat').all(a, deployments('chat').all(b, a != b))",
    "walks in a row": "&& ".join(["[1].all(a, true)"] * 3),
    "a map": "deployments('chat').map(a, deployments('chat')).size() > 0",
    "many calls in a walk": f"deployments('chat').all(d, {' || '.join(['p95(d) > 1'] * 11)})",
    "lists joined in a walk": f"deployments('chat').all(d, {' + '.join(['deployments(d)'] * 6)} != [])",
    "a slow pattern": "'aaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('(a+)+$')",
    "a large pattern": "'a'.matches('((a{100}){100}){100}')",
    "a hidden walk": "'x'/*'*/.map(a, a)",
    "a huge number": "9" * 400 + " > 1",
    "an endless number": "1e999 > 1",
    "an unknown name": "__import__('os').system('true') == 0",
    "null characters": "p95('\x00') > 1 \x00",
    "nothing": "",
    "a comment": "// true",
    "a quoted name": "`p95`('chat') > 1",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_a_fault_before_it_is_evaluated(name: str) -> None:
    with pytest.raises(ExpressionFault) as caught:
        compiled(BOMBS[name])
    assert caught.value.words == printable(caught.value.words)
    found = judge("check", BOMBS[name], Scene().scope())
    assert found.holds is None
    assert found.words


@pytest.mark.parametrize(
    "text",
    [
        "deployments('chat').all(d, usual(d, 'p95') > 0 || slope(d, 'p95', 600) > 0)",
        " || ".join(f"mean('chat', 'p95', {60 + place}) > 1" for place in range(25)),
    ],
)
def test_the_past_is_not_asked_without_end(text: str) -> None:
    asked: list[float] = []
    scope = Scene().scope()
    scope.past = lambda ref, metric, window: asked.append(window) or ()  # type: ignore[func-returns-value]
    assert judge("check", text, scope).holds is None
    assert len(asked) <= 50


_WORDS = st.sampled_from(
    [
        *FUNCTIONS,
        "route",
        "alert",
        "incident",
        "x",
        "all",
        "exists",
        "filter",
        "map",
        "has",
        "size",
        "null",
        "true",
        "in",
    ]
)
_SIGNS = st.sampled_from(
    [*"()[]{}.,+-*/%<>!?:\"'`\\ \n", "==", "!=", "<=", ">=", "&&", "||", '"chat"', "'a'", "'''", 'r"', "b'", "//", "1",
     "2.5", "0x1F", "1u", "1e400", "\x00", "\x1b[2J", "\u202e", "é", "$", "#"]
)  # fmt: skip
_TEXTS = st.lists(_WORDS | _SIGNS, max_size=40).map("".join) | st.text(max_size=60)


@given(text=_TEXTS)
@settings(max_examples=150, deadline=None)
def test_no_text_raises_and_each_answer_is_one_of_three(text: str) -> None:
    scope = _SCENE.scope(route__route="chat")
    found = judge("check", text, scope)
    assert found.holds in (True, False, None)
    assert found.holds is not None or found.words
    assert printable(found.words) == found.words
    assert isinstance(find(text, scope), str | float | None)


_SCENE = Scene(alerts=(alert(),))


@given(text=_TEXTS)
@settings(max_examples=150, deadline=None)
def test_only_whole_numbers_are_written_otherwise(text: str) -> None:
    before = [token for token in tokens(text) if token.kind not in ("whole", "hex")]
    after = tokens(alike(text))
    kept = [token.text for token in after if token.kind != "fraction"]
    names = {"size": "count", "duration": "seconds"}
    strings = [token.text for token in before if token.kind == "string"]
    assert [token.text for token in after if token.kind == "string"] == strings
    assert len(after) == len(tokens(text))
    assert {names.get(one, one) for one in kept} >= {token.text for token in before if token.kind == "sign"}


@pytest.mark.parametrize("text", ["'1 + 2' == '1 + 2'", "r'\\1' != '1'", "'''1''' == '1'", "'a // 1' != '' // 1"])
def test_numbers_in_texts_stay(text: str) -> None:
    assert Scene().holds(text) is True


def test_no_variable_leads_inside() -> None:
    for text in ("p95.__globals__ == null", "alert.__class__ == null", "route.__class__ != null"):
        assert Scene(alerts=(alert(),)).holds(text, route__route="chat") is None


NAMES = ["\x1b[2J\x1b]0;x\x07", "a\nb", "\u202egpj.exe", "'; drop --", '" || true || "', "${route}", "x" * 400, "a/b:c"]


@pytest.mark.parametrize("name", NAMES)
def test_a_backends_name_is_a_value_and_never_an_expression(name: str) -> None:
    scene = Scene()
    slow = scene.things[SLOW]
    assert isinstance(slow, Deployment)
    ref = Ref("gw", Kind.DEPLOYMENT, name)
    scene.things[ref] = replace(slow, ref=ref)
    found = judge("check", "p95(target) > 4", scene.scope(target__deployment=name))
    assert found.holds is True
    assert all(one.words == printable(one.words) and one.name == printable(one.name) for one in found.seen)
    missing = judge("check", "p95(target) > 4", Scene().scope(target__deployment=name))
    assert missing.holds is None
    assert missing.words == printable(missing.words)
    scene.alerts = (alert(ref=ref),)
    assert find("alert.name", scene.scope()) == name
