"""What a model says in a request, in the manner in which the request was answered."""

import json
from typing import Any

from adapters.simulator.answers.forms import NEW_TOOL
from adapters.simulator.answers.manner import Manner
from adapters.simulator.traces.wording import DECLINED, STRANGE, Wording
from console.domain.answers import Finish


def reason_of(manner: Manner, number: int) -> Finish:
    """Why one of a request's calls stopped, in the model's words; `number` counts them from 0."""
    if number < manner.rounds - 1:
        return Finish.TOOL_CALLS
    # A model that says nothing has stopped as if it were done: that it is empty is seen by who looks.
    return Finish.STOP if manner.finish is Finish.EMPTY else manner.finish


def asked_form(manner: Manner) -> bool:
    """Whether the answer had to be JSON."""
    return manner.form is not None and manner.finish is not Finish.TOOL_CALLS


def text_of(manner: Manner | None, words: Wording) -> str:
    """The answer's text; empty where the model said nothing."""
    if manner is None:
        return words.answer
    if manner.finish is Finish.REFUSAL:
        return DECLINED
    if manner.finish is Finish.EMPTY:
        return ""
    text = words.answer
    if manner.strange:
        middle = len(text) // 2
        text = text[:middle] + STRANGE + text[middle:]
    if manner.finish is Finish.LENGTH:
        return text[: 2 * len(text) // 3]
    if manner.form is None or manner.finish is Finish.TOOL_CALLS:
        return text
    filled = manner.form.filled(text)
    return filled if manner.parsed else f"Here is the JSON that you asked for:\n```json\n{filled[:-12]}"


def arguments_of(manner: Manner, words: Wording, number: int) -> dict[str, Any] | str:
    """The arguments of a request's tool call; those of an agent that goes round in a circle are always the same."""
    more = 0 if manner.again else number
    asked: dict[str, Any] = {"query": words.question, "limit": 3 + more}
    if number == 0 and manner.form is NEW_TOOL:
        asked = {"q": words.question, "max_results": "3", "filters": {}}
    if number == 0 and manner.finish is Finish.TOOL_CALLS and not manner.parsed:
        return json.dumps(asked, ensure_ascii=False)[:-5]
    return asked
