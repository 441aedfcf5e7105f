"""Why a model stopped and why a call failed, whatever its provider calls it. Pure."""

import re

from console.domain.answers import Finish

_WORDS: dict[Finish, str] = {
    Finish.REFUSAL: (
        "content_filter content_filtered content_filtering refusal refused safety recitation blocklist spii "
        "prohibited_content image_safety guardrail guardrail_intervened error_toxic sensitive"
    ),
    Finish.ERROR: "error failed malformed_function_call unexpected_tool_call malformed_model_output network_error",
    Finish.LENGTH: (
        "length max_tokens max_output_tokens max_completion_tokens model_length model_context_window_exceeded "
        "incomplete error_limit"
    ),
    Finish.TOOL_CALLS: "tool_calls tool_call tool_use function_call function_calls",
    Finish.STOP: (
        "stop end_turn stop_sequence completed complete eos eos_token end_of_turn end_of_text endoftext finished "
        "finish done"
    ),
}
"""OpenAI (both APIs), Azure, Anthropic, Bedrock, Gemini, Mistral, Cohere, vLLM; the worst first."""
_FINISH = {word: finish for finish, words in _WORDS.items() for word in words.split()}
_WORST = (*_WORDS, Finish.OTHER)

_OVERFLOW = re.compile(
    r"context_length_exceeded|context_window_exceeded|contextwindowexceeded|maximum context length|context window"
    r"|context length|prompt is too long|input is too long|input length|exceeds? the (?:available )?context"
    r"|too many (?:input )?tokens|reduce the length of the (?:messages|prompt)|string_above_max_length",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"content[_ ]?(?:filter|policy|management)|responsible ?ai ?policy|blocked by .{0,40}(?:safety|guardrail)"
    r"|safety system|guardrail_intervened",
    re.IGNORECASE,
)
LOOKED_AT = 2_000
"""Characters of an error that are looked through."""


def finish_of(said: str) -> Finish | None:
    """What a span's reasons mean, several with commas between; the worst of them. None where it says nothing."""
    found = {_FINISH.get(word, Finish.OTHER) for one in said.split(",") if (word := _plain(one))}
    return next((finish for finish in _WORST if finish in found), None)


def overflowed(error: str) -> bool:
    """Whether a call was refused because its input is longer than the model's window."""
    return _OVERFLOW.search(error[:LOOKED_AT]) is not None


def refused(error: str) -> bool:
    """Whether a call was refused by a safety filter."""
    return _REFUSED.search(error[:LOOKED_AT]) is not None


def _plain(word: str) -> str:
    """In small letters, without the name of the enum that it is of: `FinishReason.MAX_TOKENS` is `max_tokens`."""
    return word.strip().lower().replace("-", "_").rpartition(".")[2]
