"""Which scripts a text is written in, as far as that is told by its letters alone. Pure."""

import re

LOOKED_AT = 4_000
"""Characters of each end of a text that are looked at."""
BROKEN = "broken"
"""What is no letter of any script: the sign that stands for bytes that were none."""

_BEYOND_LATIN = re.compile("[\u0370-\uffff]")
_LETTERS = {
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "cyrillic": "\u0400-\u052f",
    "armenian": "\u0530-\u058f",
    "hebrew": "\u0590-\u05ff",
    "arabic": "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff",
    "indic": "\u0900-\u0dff",
    "thai": "\u0e00-\u0eff",
    "myanmar": "\u1000-\u109f",
    "georgian": "\u10a0-\u10ff",
    "ethiopic": "\u1200-\u139f",
    "khmer": "\u1780-\u17ff",
    "hangul": "\u1100-\u11ff\uac00-\ud7af",
    "east asian": "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff66-\uff9f",
}
_FOUND = {name: re.compile(f"[{letters}]{{2}}") for name, letters in _LETTERS.items()} | {BROKEN: re.compile("\ufffd")}
"""Two letters beside each other: a single one may be a sign in a formula."""


def strange(answer: str, question: str) -> bool:
    """Whether the answer has letters of a script that the question has not; Latin is everybody's."""
    return any(_FOUND[name].search(question) is None for name in scripts(answer))


def scripts(text: str) -> set[str]:
    """The scripts of a text besides Latin."""
    if text.isascii():
        return set()
    if len(text) > 2 * LOOKED_AT:
        text = text[:LOOKED_AT] + text[-LOOKED_AT:]
    if _BEYOND_LATIN.search(text) is None:
        return set()
    return {name for name, letters in _FOUND.items() if letters.search(text)}
