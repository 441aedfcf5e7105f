"""The config says which routes' work waits in a queue."""

import pytest
from pydantic import ValidationError

from console.config import Environment
from console.config.feeds import feeds_of

FEEDS = {
    "jobs:queue/chat-*": ["gateway:route/gpt-main", "gateway:route/gpt-mini"],
    "*:queue/*-eu": ["gateway:route/gpt-main", "eu:route/x"],
}


def test_all_globs_that_match_count_once() -> None:
    routes = feeds_of(FEEDS, "jobs")
    assert routes("chat-us") == ("gateway:route/gpt-main", "gateway:route/gpt-mini")
    assert routes("chat-eu") == ("gateway:route/gpt-main", "gateway:route/gpt-mini", "eu:route/x")
    assert routes("mail") == ()
    assert feeds_of(FEEDS, "other")("chat-us") == ()


@pytest.mark.parametrize(
    ("route", "words"), [("gpt-main", "is not a reference"), ("gateway:queue/gpt-main", "is no route")]
)
def test_what_is_no_route_is_an_error(route: str, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Environment(sources={}, feeds={"jobs:queue/*": [route]})
