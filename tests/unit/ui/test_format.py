"""Numbers for people: steady widths, honest rounding, nothing invented where a backend says nothing."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from console.ui import format as fmt
from console.ui.glyphs import ASCII, UNICODE


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (0.004, "0"),
        (0.42, "0.42"),
        (7.31, "7.3"),
        (9.96, "10"),
        (252.4, "252"),
        (999.4, "999"),
        (999.6, "1.0k"),
        (12_345, "12.3k"),
        (99_960, "100k"),
        (999_600, "1.0M"),
        (-12_345, "-12.3k"),
        (3.2e12, "3.2T"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert fmt.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0%"), (0.0001, "<0.1%"), (0.004, "0.4%"), (0.0994, "9.9%"), (0.0996, "10%"), (1, "100%")],
)
def test_ratios_never_round_a_failure_to_nothing(value: float | None, text: str) -> None:
    assert fmt.ratio(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0084, "8 ms"),
        (0.0896, "90 ms"),
        (0.3384, "340 ms"),
        (0.996, "1.0 s"),
        (1.24, "1.2 s"),
        (9.96, "10 s"),
        (75.2, "75 s"),
    ],
)
def test_response_times(value: float | None, text: str) -> None:
    assert fmt.took(value) == text
    assert len(text) <= 6


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "$0.00"),
        (0.001, "<1¢"),
        (12.4, "$12.40"),
        (99.996, "$100"),
        (143.2, "$143"),
        (12_345, "$12.3k"),
        (-2.5, "-$2.50"),
    ],
)
def test_money(value: float | None, text: str) -> None:
    assert fmt.usd(value) == text


def test_a_little_noise_shows_the_same_text() -> None:
    assert {fmt.took(0.3384 + noise / 10_000) for noise in range(-20, 21)} == {"340 ms"}
    assert {fmt.number(12_340 + noise) for noise in range(-30, 10)} == {"12.3k"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (45, "45 s"), (119, "119 s"), (150, "2 min"), (7500, "2 h 05"), (7200, "2 h"), (273_600, "3 d 4 h")],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert fmt.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (252.0, "req/min", "252/min"),
        (38.0, "%", "38%"),
        (0.38, "ratio", "38%"),
        (1.32, "$/h", "$1.32/h"),
        (1.1, "× demand", "1.1× demand"),
        (1.2, "s", "1.2 s"),
        (3.0, "w\x1b[31m", "3.0 w�[31m"),
    ],
)
def test_units_of_the_engine_are_written_in_their_own_form(value: float, unit: str, text: str) -> None:
    assert fmt.quantity(value, unit) == text


def test_a_sparkline_stands_on_zero_and_shows_its_gaps() -> None:
    assert fmt.sparkline([0, 4, 8], 3, ramp=UNICODE.spark) == "▁▅█"
    assert fmt.sparkline([None, 8, None], 3, ramp=UNICODE.spark, gap="·") == "·█·"
    assert fmt.sparkline([8], 3, ramp=ASCII.spark) == "  #"
    assert fmt.sparkline([0, 0], 2, ramp=UNICODE.spark) == "▁▁"
    assert fmt.sparkline([1, 3, 8, 8], 2, ramp=UNICODE.spark) == "▃█"


def test_a_bar_is_never_empty_while_something_is_used() -> None:
    assert fmt.bar(0.001, 10, full="#", empty=".") == "#........."
    assert fmt.bar(1.7, 4, full="#", empty=".") == "####"
    assert fmt.bar(None, 3, full="#", empty=".") == "..."
    assert fmt.bar(0, 3, full="#", empty=".") == "..."


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e308)
@example(-1e308)
@example(5e-324)
@example(253402300800.0)
def test_whatever_number_a_backend_sends_is_a_short_text(value: float) -> None:
    shown = [
        fmt.number(value),
        fmt.per_min(value),
        fmt.ratio(value),
        fmt.took(value),
        fmt.usd(value),
        fmt.usd_per_h(value),
        fmt.times(value),
        *(fmt.quantity(value, unit) for unit in ("$", "$/h", "s", "ratio", "%", "req/min", "×", "things")),
        fmt.clock(value),
        fmt.moment(value, 0.0),
        fmt.duration(value),
    ]
    assert all(0 < len(text) <= 16 for text in shown), shown


@given(
    st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=30),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
@example([1e308] * 30, None)
@example([1e308], 5e-324)
def test_any_history_is_a_sparkline_of_its_width(values: list[float | None], top: float | None) -> None:
    assert len(fmt.sparkline(values, 10, ramp="12345678", top=top)) == 10


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(1e308)
def test_any_part_is_a_bar_of_its_width(part: float) -> None:
    assert len(fmt.bar(part, 10, full="#", empty=".")) == 10
