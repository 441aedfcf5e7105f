"""What model calls answered, counted: the evidence for what no status code and no latency shows.

A trace store folds its model calls into rows of one minute and one group: nothing here grows with traffic, and a
detector that works on counts needs no more.
"""

from enum import StrEnum

import msgspec

ANSWERS_STEP_S = 60.0
"""A row covers one whole minute of the clock: it ends at a multiple of this."""
LATE_S = 20.0
"""A minute is told this long after it has ended: spans come late, and what comes later still is not counted."""
SHAPES_MOST = 20
"""Different shapes in a row, the commonest; the others are counted together as `OTHER`."""
OTHER = "other"
"""The name under which what is too rare to be named is counted."""


class Finish(StrEnum):
    """Why a model stopped, whatever its provider calls it."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    REFUSAL = "content_filter"
    """A safety filter, or the model itself, declined."""
    EMPTY = "empty_stop"
    """It stopped as if it were done and had said nothing, or had called no tool where one was asked for."""
    ERROR = "error"
    OTHER = "other"


class Group(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Which model calls are counted together; empty where the trace does not say."""

    deployment: str = ""
    """The gateway's own name for it, where the trace says which one answered."""
    provider: str = ""
    model: str = ""
    """The model that was asked for."""
    region: str = ""
    route: str = ""
    service: str = ""
    tenant: str = ""
    """Whose request it was: a key's alias, a team, a customer."""
    prompt: str = ""
    """`name@version` of the prompt."""
    response_model: str = ""
    """The model that says that it answered."""
    fingerprint: str = ""
    """The provider's own word for the build that answered (`system_fingerprint`)."""


class Answers(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What one group of model calls answered in the minute that ended at `at`; None: not recorded."""

    at: float
    """Unix seconds."""
    group: Group
    calls: int
    """Model calls that ended in that minute."""
    part: float = 1.0
    """Part of that minute's requests that were read, drawn by chance, where there were too many to read all: every
    count here is of these alone, none is scaled up."""
    failed: int = 0
    finish: dict[Finish, int] = {}
    """How many stopped for which reason; those that do not say are in none."""
    shapes: dict[str, int] = {}
    """How many answers had which shape: a short hash of their sorted key paths and types; `text` for prose."""
    structured: int = 0
    """Answers that had to be of a form: JSON that was asked for, arguments of a tool."""
    unparsed: int = 0
    """Those of them that were not: no JSON, or arguments that the tool's schema refuses."""
    strange_script: int = 0
    """Answers with letters of a script that the question did not have."""
    with_text: int = 0
    """Answers whose text was recorded: what `strange_script` is a part of."""
    tokens_in: int = 0
    tokens_out: int = 0
    chars_in: int = 0
    """Characters of the input of those calls for which both it and the tokens are recorded …"""
    tokens_of_chars: int = 0
    """… and their tokens in: `tokens_of_chars / chars_in` is what the tokeniser makes of a character."""
    fill_p99: float | None = None
    """99th percentile of input tokens ÷ the model's window."""
    overflows: int = 0
    """Calls that were refused because the input is longer than the window."""
    usd: float | None = None
    """What the calls cost, as the trace says."""
    ttft_p50_s: float | None = None
    s_per_token_p50: float | None = None
    """Median seconds for each output token after the first."""
    requests: int = 0
    """Different requests (traces) that these calls belong to."""
    calls_most: int = 0
    """Model calls of the request that made the most, in that minute."""
    repeats_most: int = 0
    """How often one request called one tool with the same arguments, at the most."""
    repeating: str = ""
    """The trace id of that request."""
    retrievals: int = 0
    """Searches in those requests …"""
    empty_retrievals: int = 0
    """… that found nothing …"""
    top_score_p50: float | None = None
    """… and the median of the best document's score in the others."""
    examples: tuple[str, ...] = ()
    """Trace ids to look at, the strangest first: unparsed, refused, empty, failed; three at the most."""


class AnswersQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the minutes that ended after `since` and not after `until`, both unix seconds; oldest first."""

    source: str
    since: float
    until: float
