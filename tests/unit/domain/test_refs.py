"""References: written, read back, and refused with the way out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.domain.refs import Kind, Ref

SOURCES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]*", fullmatch=True)


@given(SOURCES, st.sampled_from(Kind), st.text(min_size=1))
def test_what_is_written_can_be_read_whatever_the_backend_calls_it(source: str, kind: Kind, name: str) -> None:
    ref = Ref(source, kind, name)
    assert Ref.parse(str(ref)) == ref


def test_it_is_written_as_people_say_it() -> None:
    assert str(Ref("gateway", Kind.DEPLOYMENT, "openai-a")) == "gateway:deployment/openai-a"


@pytest.mark.parametrize("text", ["", "gateway", "gateway:", "gateway:route", "gateway:route/", ":route/x", "route/x"])
def test_what_is_no_reference_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="gateway:route/gpt-main"):
        Ref.parse(text)


def test_a_kind_that_is_none_is_refused_with_the_list() -> None:
    with pytest.raises(ValueError, match="the kinds are source, replica, provider"):
        Ref.parse("gateway:model/x")


def test_references_sort_by_source_kind_and_name() -> None:
    texts = ["b:route/a", "a:route/b", "a:route/a", "a:deployment/z"]
    assert [str(ref) for ref in sorted(map(Ref.parse, texts))] == [
        "a:deployment/z",
        "a:route/a",
        "a:route/b",
        "b:route/a",
    ]
