"""Every sign on the screen, in two sets: one for UTF-8 terminals, one in plain ASCII. No sign stands without a word."""

import locale
import os
from collections.abc import Mapping
from dataclasses import dataclass

from console.domain.actions import Outcome
from console.domain.alerts import Severity
from console.domain.circuit import Observed
from console.domain.health import Level


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of signs; each is one column wide unless it says otherwise."""

    level: Mapping[Level, str]
    circuit: Mapping[Observed, str]
    breaker: Mapping[Observed, str]
    """Three columns: a breaker in a line of the mimic panel."""
    outcome: Mapping[Outcome, str]
    severity: Mapping[Severity, str]
    spark: str
    """Eight heights, the lowest first."""
    gap: str
    """A slot of a sparkline in which nothing was seen."""
    line: str
    down: str
    branch: str
    """Where a line leaves to the right, with more to come below."""
    last: str
    """Where the last line leaves to the right."""
    arrow: str
    back: str
    """The arrow the other way: from a queue to the route that its workers call."""
    queue: str
    """Three columns: a queue in a line of the mimic panel."""
    moving: str
    """An action that is under way."""
    about: str
    """Stands before a number that is estimated."""
    full: str
    empty: str
    """The two halves of a bar."""
    cursor: str
    ascending: str
    descending: str
    bullet: str
    ellipsis: str
    times: str
    lock: str
    """Read-only."""
    key: str
    """Operate."""
    engine: str
    folded: str
    """Stands before what Enter unfolds."""
    unfolded: str
    critical: str
    """Marks a span on the critical path."""
    beside: str
    """Fills the parts of a bar in which the critical path was elsewhere."""
    differs: str
    """Stands before what is not the same in two requests."""


UNICODE = Glyphs(
    level={Level.OK: "●", Level.NOTICE: "◆", Level.WARN: "▲", Level.STALE: "◌", Level.BAD: "✖"},
    circuit={Observed.CLOSED: "●", Observed.OPEN: "○", Observed.HALF_OPEN: "◐", Observed.UNKNOWN: "?"},
    breaker={Observed.CLOSED: "─■─", Observed.OPEN: "─╱ ", Observed.HALF_OPEN: "─▨─", Observed.UNKNOWN: "─?─"},
    outcome={
        Outcome.PENDING: "○",
        Outcome.APPLIED: "◔",
        Outcome.CONVERGING: "◑",
        Outcome.VERIFIED: "✔",
        Outcome.UNVERIFIED: "▲",
        Outcome.FAILED: "✖",
        Outcome.STOPPED: "■",
        Outcome.UNKNOWN: "?",
        Outcome.REVERTED: "↺",
    },
    severity={Severity.PAGE: "✖", Severity.TICKET: "▲", Severity.NOTICE: "◆"},
    spark="▁▂▃▄▅▆▇█",
    gap="·",
    line="─",
    down="│",
    branch="├",
    last="└",
    arrow="→",
    back="←",
    queue="─≡─",
    moving="▶",
    about="≈",
    full="█",
    empty="░",
    cursor="▌",
    ascending="▲",
    descending="▼",
    bullet="•",
    ellipsis="…",
    times="×",
    lock="▪",
    key="◆",
    engine="◉",
    folded="▶",
    unfolded="▼",
    critical="»",
    beside="▒",
    differs="≠",
)
"""For UTF-8 terminals. All of them are in the fonts of a Linux console and of every terminal emulator's fallback."""

ASCII = Glyphs(
    level={Level.OK: "o", Level.NOTICE: "~", Level.WARN: "!", Level.STALE: "?", Level.BAD: "X"},
    circuit={Observed.CLOSED: "=", Observed.OPEN: "/", Observed.HALF_OPEN: "%", Observed.UNKNOWN: "?"},
    breaker={Observed.CLOSED: "-#-", Observed.OPEN: "-/ ", Observed.HALF_OPEN: "-%-", Observed.UNKNOWN: "-?-"},
    outcome={
        Outcome.PENDING: " ",
        Outcome.APPLIED: ".",
        Outcome.CONVERGING: ":",
        Outcome.VERIFIED: "+",
        Outcome.UNVERIFIED: "!",
        Outcome.FAILED: "X",
        Outcome.STOPPED: "#",
        Outcome.UNKNOWN: "?",
        Outcome.REVERTED: "<",
    },
    severity={Severity.PAGE: "X", Severity.TICKET: "!", Severity.NOTICE: "~"},
    spark="_.,-=+*#",
    gap=" ",
    line="-",
    down="|",
    branch="+",
    last="`",
    arrow=">",
    back="<",
    queue="-=-",
    moving=">",
    about="~",
    full="#",
    empty=".",
    cursor=">",
    ascending="^",
    descending="v",
    bullet="*",
    ellipsis="~",
    times="x",
    lock="-",
    key="*",
    engine="@",
    folded=">",
    unfolded="v",
    critical=">",
    beside="=",
    differs="!",
)
"""For terminals and locales without UTF-8, and for `SWITCHGEAR_ASCII=1`."""


def ascii_only(environ: Mapping[str, str] | None = None, encoding: str | None = None) -> bool:
    """Whether to keep to ASCII: `SWITCHGEAR_ASCII` says so (`0` forces UTF-8), or the locale's encoding is not UTF-8.

    Args:
        environ: the process environment when None.
        encoding: the locale's encoding when None.
    """
    told = (os.environ if environ is None else environ).get("SWITCHGEAR_ASCII", "")
    if told:
        return told not in ("0", "no", "false")
    name = locale.getpreferredencoding(False) if encoding is None else encoding
    return name.lower().replace("-", "").replace("_", "") != "utf8"


def choose(environ: Mapping[str, str] | None = None, encoding: str | None = None) -> Glyphs:
    """The set that this terminal can show."""
    return ASCII if ascii_only(environ, encoding) else UNICODE


_LOOKALIKES = {
    **dict.fromkeys("─━═╌╍┄┅┈┉╴╶╸╺▔▁▂▃—–‐‑", "-"),
    **dict.fromkeys("│┃║╎╏┆┇┊┋╵╷╹╻▏▎▍▌▐▕", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╭╮╯╰┏┓┗┛┣┫┳┻╋╔╗╚╝╠╣╦╩╬", "+"),
    **dict.fromkeys("▄▅▆▇█▀▉▊▋■▓", "#"),
    **dict.fromkeys("░▒", "."),
    **dict.fromkeys("●•·", "*"),
    "…": "~",
    "×": "x",
    "→": ">",
    "←": "<",
    "↑": "^",
    "↓": "v",
    "▲": "^",
    "▼": "v",
    "▶": ">",
    "≈": "~",
    "≡": "=",
    "≠": "!",
    "»": ">",
    "◀": "<",
    "✔": "+",
    "✖": "X",
    "’": "'",
    "‘": "'",
    "“": '"',
    "”": '"',
    "\u00a0": " ",
}


def plain(text: str) -> str:
    """`text` in ASCII, column by column: a look-alike where there is one, otherwise `?` for each column."""
    if text.isascii():
        return text
    from rich.cells import cell_len

    return "".join(char if char.isascii() else _LOOKALIKES.get(char) or "?" * cell_len(char) for char in text)
