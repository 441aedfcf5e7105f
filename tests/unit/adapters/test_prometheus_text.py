"""The cached reader must say what prometheus-client says, cold and warm."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from adapters.prometheus_text import MalformedPage, PageParser, Sample

NAMES = ["a", "a_b", "a_b_total", "a_b_totals", "a_b_bucket", "a_b_count", "ab", "c_total", "c"]
Flat = list[tuple[str, tuple[tuple[str, str], ...], float | str, float | None]]


def flat(name: str, labels: dict[str, str], value: float, stamp: float | None) -> tuple[object, ...]:
    return (name, tuple(labels.items()), "nan" if math.isnan(value) else value, stamp)


def mine(samples: list[Sample]) -> list[tuple[object, ...]]:
    return [flat(s.series.name, s.series.labels, s.value, s.timestamp) for s in samples]


def theirs(page: str, families: list[str]) -> list[tuple[object, ...]]:
    wanted = {f + end for f in families for end in ("", "_total", "_bucket", "_sum", "_count")}
    return [
        flat(s.name, s.labels, float(s.value), None if s.timestamp is None else float(s.timestamp))
        for family in text_string_to_metric_families(page)
        for s in family.samples
        if s.name in wanted
    ]


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


values = st.one_of(
    st.sampled_from(["NaN", "+Inf", "-Inf", "0", "1e3", "1.5e-9", "9223372036854775807", "-0.0"]),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**15), 10**15).map(str),
)
label_text = st.text(st.sampled_from(list('ab"\\\n{}=, #}é\t5')), max_size=8)
labels = st.dictionaries(st.sampled_from(["le", "model_id", "x", "y"]), label_text, max_size=3)
space = st.sampled_from([" ", "  ", "\t", " \t"])


@st.composite
def sample_line(draw: st.DrawFn) -> str:
    found = draw(labels)
    comma = draw(st.sampled_from([",", ", "]))
    inner = comma.join(f'{key}="{escaped(text)}"' for key, text in found.items())
    body = "{" + inner + draw(st.sampled_from(["", ","] if inner else [""])) + "}" if found else ""
    gap = draw(space) if not body else draw(st.sampled_from([" ", "  ", "\t", ""]))
    stamp = draw(st.sampled_from(["", "", "", " 1700000000000", ' # {trace_id="q"} 0.5']))
    lead = draw(st.sampled_from(["", "", " "]))
    return f"{lead}{draw(st.sampled_from(NAMES))}{draw(st.sampled_from(['', '', ' ']))}{body}{gap}{draw(values)}{stamp}"


comment_line = st.one_of(
    st.builds(
        lambda n, t: f"# TYPE {n} {t}", st.sampled_from(NAMES), st.sampled_from(["counter", "gauge", "histogram"])
    ),
    st.builds(lambda n: f"# HELP {n} some words", st.sampled_from(NAMES)),
    st.sampled_from(["# a remark", "#", ""]),
)
pages = st.lists(st.one_of(sample_line(), sample_line(), comment_line), max_size=14).map(lambda x: "\n".join([*x, ""]))


@given(pages, st.lists(st.sampled_from(["a", "a_b", "c", "c_total"]), min_size=1, max_size=3, unique=True))
@settings(max_examples=150, deadline=None)
def test_equals_prometheus_client_cold_and_warm(page: str, families: list[str]) -> None:
    try:
        expected = theirs(page, families)
    except ValueError:
        return  # what the whole page's parser refuses is covered below, line by line
    parser = PageParser(families)
    assert mine(parser.parse(page)) == expected
    assert mine(parser.parse(page.encode())) == expected


@given(pages, pages)
@settings(max_examples=80, deadline=None)
def test_one_page_does_not_colour_the_next(first: str, second: str) -> None:
    families = ["a_b", "c", "c_total"]
    try:
        expected = theirs(second, families)
        theirs(first, families)
    except ValueError:
        return
    parser = PageParser(families)
    parser.parse(first)
    assert mine(parser.parse(second)) == expected


def test_a_warm_page_does_not_reach_the_parser() -> None:
    lines = [f'a_b_total{{x="{i}"}} %d' for i in range(50)]
    parser = PageParser(["a_b_total"])
    parser.parse("\n".join(line % 1 for line in lines) + "\n")
    cold = parser.parsed
    samples = parser.parse("\n".join(line % 2 for line in lines) + "\n")
    assert cold == 50
    assert parser.parsed == cold
    assert [s.value for s in samples] == [2.0] * 50


def test_the_same_series_is_the_same_object_on_every_page() -> None:
    parser = PageParser(["a"])
    (one,) = parser.parse('a{x="1"} 1\n')
    (two,) = parser.parse('a{x="1"} 5\n')
    assert one.series is two.series


def test_lines_of_other_families_cost_nothing() -> None:
    parser = PageParser(["a"])
    parser.parse("".join(f'a_b{{x="{i}"}} 1\n' for i in range(100)))
    assert parser.parsed == 0


def test_a_block_that_stands_is_read_anew_as_soon_as_one_figure_in_it_moves() -> None:
    page = '# TYPE z gauge\nz{x="1"} 1\n# TYPE a gauge\na{x="1"} 1\na{x="2"} 1\n# TYPE y gauge\ny 1\n'
    parser = PageParser(["a", "y"])
    for moved in (page, page, page.replace('"2"} 1', '"2"} 2'), page.replace('a{x="1"} 1\n', ""), page + "y 2\n"):
        assert mine(parser.parse(moved)) == theirs(moved, ["a", "y"])


@pytest.mark.parametrize(
    "page",
    [
        "# TYPE z gauge\nz 1\na 2\nz 3\n",
        "# TYPE z gauge\na 2\n",
        "# TYPE z gauge\n a 2\n",
        "# TYPE a gauge\na_b 1\na 2\n",
        "# TYPE c counter\n# a remark\n# another\nc 1\n",
        "# TYPE c counter\nc 1\n# c\nc 2\n",
        "# TYPE z counter\n# c\nc 2\n",
    ],
)
def test_a_line_that_stands_below_another_familys_comment_is_found(page: str) -> None:
    for families in (["a"], ["c"], ["c_total"]):
        assert mine(PageParser(families).parse(page)) == theirs(page, families)


def test_a_gap_that_is_no_space_makes_no_other_series_of_a_line() -> None:
    page = 'a 1\na {x=""}\t2\n'
    assert mine(PageParser(["a"]).parse(page)) == theirs(page, ["a"])


def test_series_that_vanish_are_dropped() -> None:
    parser = PageParser(["a"])
    for page in range(40):
        parser.parse("".join(f'a{{x="{page}-{i}"}} 1\nz{{x="{page}-{i}"}} 1\n' for i in range(100)))
    assert parser.remembered <= 400


@pytest.mark.parametrize(
    ("page", "line"),
    [
        ('a{x="1"} 1\na{x="1} 2\n', 2),
        ("a 1\n\na one\n", 3),
        ('a{x="1"}\n', 1),
        ("a 1\na 1_000\n", 2),
        ('a{x="1"} 1\na{x="2"} 1', 2),
        ('a{x="1"} 1\na{x="1"} 0.00\na{x=', 3),
        ('a{x="y z"}\t1 2 bad\n', 1),
    ],
)
def test_what_does_not_parse_or_is_cut_is_an_error_with_its_place(page: str, line: int) -> None:
    with pytest.raises(MalformedPage) as caught:
        PageParser(["a"]).parse(page)
    assert caught.value.line == line
    assert f"line {line}" in str(caught.value)


def test_a_bad_value_on_a_known_series_is_an_error_too() -> None:
    parser = PageParser(["a"])
    parser.parse('a{x="1"} 1\n')
    for bad in ("1_0", "one", ""):
        with pytest.raises(MalformedPage):
            parser.parse(f'a{{x="1"}} {bad}\n')


def test_html_and_bytes_that_are_no_text() -> None:
    assert PageParser(["a"]).parse("<html>\n<p>hello</p>\n</html>\n") == []
    with pytest.raises(MalformedPage, match="line 2: not UTF-8"):
        PageParser(["a"]).parse(b"a 1\n\xff\xfe\n")


def test_an_empty_page_is_an_empty_page() -> None:
    assert PageParser(["a"]).parse(b"") == []


def test_only_the_labels_that_are_asked_for_are_kept_and_the_series_stay_apart() -> None:
    parser = PageParser(["a"], labels=["x"])
    one, two = parser.parse('a{x="1",y="2"} 1\na{x="1",y="3"} 2\n')
    assert one.series.labels == two.series.labels == {"x": "1"}
    assert one.series is not two.series
