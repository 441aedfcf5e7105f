"""Colours: two themes of our own for terminals with true colour, and the terminal's sixteen for all others."""

import os
from collections.abc import Mapping

from textual.theme import Theme

DARK = Theme(
    name="switchgear-dark",
    primary="#6fa8dc",
    secondary="#4f6d8f",
    accent="#5fd0c5",
    warning="#f2b84b",
    error="#ff6b6b",
    success="#7fc97f",
    foreground="#d6dbe1",
    background="#10151b",
    surface="#161d25",
    panel="#1d2630",
    dark=True,
    variables={"ink-muted": "#8a96a3", "ink-faded": "#6b7682", "ink-cursor": "#27405c"},
)
LIGHT = Theme(
    name="switchgear-light",
    primary="#1f5fa8",
    secondary="#5b7695",
    accent="#00776b",
    warning="#8a5a00",
    error="#b3261e",
    success="#1f7a33",
    foreground="#1b2229",
    background="#fbfbf8",
    surface="#f3f3ee",
    panel="#e6e7e1",
    dark=False,
    variables={"ink-muted": "#5f6b76", "ink-faded": "#84909b", "ink-cursor": "#cfe0f3"},
)

INKS = {"ink-muted": "#808080", "ink-faded": "#808080", "ink-cursor": "#404040"}
"""Our own variables, for themes that do not have them: said but unimportant, no longer true, under the cursor."""

THEMES = (DARK, LIGHT)
"""Those that the app registers; `ansi-dark` and `ansi-light` come with Textual."""

NAMES = (DARK.name, LIGHT.name, "ansi-dark", "ansi-light")
"""What `:theme` goes through."""


def is_ansi(name: str) -> bool:
    """Whether a theme uses the terminal's own colours."""
    return name.startswith("ansi-")


def choose(preferred: str, environ: Mapping[str, str] | None = None) -> str:
    """The theme to start with.

    An operator's own choice counts first, but with `NO_COLOR` it is always a theme of attributes only. Over SSH,
    and where the terminal does not say that it has true colour, the terminal's sixteen colours are taken: they fit
    its background, and a repaint costs half the bytes.
    """
    env = os.environ if environ is None else environ
    light = _light(env)
    ansi = "ansi-light" if light else "ansi-dark"
    if "NO_COLOR" in env:
        return preferred if is_ansi(preferred) else ansi
    if preferred in NAMES:
        return preferred
    remote = "SSH_CONNECTION" in env or "SSH_TTY" in env
    if remote or env.get("COLORTERM", "").lower() not in ("truecolor", "24bit"):
        return ansi
    return LIGHT.name if light else DARK.name


def _light(environ: Mapping[str, str]) -> bool:
    """Whether the terminal says that its background is light (`COLORFGBG=0;15`)."""
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return background in ("7", "15")
