"""The rules: those of a file, with errors that name its lines, and those that come with the collector."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from adapters.otlp.redaction.texts import compiled
from console.config.document import read
from console.config.model import Model
from console.config.reader import valid


def _expression(text: str) -> str:
    if compiled(text).search("") is not None:
        raise ValueError("this matches a text without characters, so it would match everywhere")
    return text


class Rule(Model):
    """What is not kept: whole attributes by their names, or what an expression matches in any text."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    """What is put in its place is called by it: `‹redacted: NAME›`. Small letters, digits, - and _."""
    attributes: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    """Names of attributes, small or large letters alike, with `*`, `?` and `[…]`; what lies in an object has the names
    on the way to it with dots between."""
    pattern: Annotated[str, AfterValidator(_expression), Field(min_length=1, max_length=2_000)] | None = None
    """An expression of RE2. With `attributes` it is looked for in those alone, and elsewhere in every text: values,
    names, messages of errors, whole numbers too."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.attributes and self.pattern is None:
            raise ValueError("a rule needs `attributes`, `pattern` or both")
        return self


class Rules(Model):
    """A file of rules."""

    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=100)]
    """All of them are applied; where several match, the first in the text names what is put there."""


def read_rules(path: Path) -> tuple[Rule, ...]:
    """The rules of a file.

    Raises:
        ConfigError: one line a fault, with file and line.
    """
    return valid(read(path, holds="`rules:`, each with `name` and `attributes` or `pattern`"), Rules).rules


DEFAULTS = (
    Rule(
        name="credentials",
        attributes=("*authorization*", "*api[-_]key*", "*apikey*", "*password*", "*secret*", "*cookie*"),
    ),
    Rule(name="bearer-token", pattern=r"(?i)\bbearer[\s:]+[a-z0-9._~+/=-]{8,}"),
    Rule(name="json-web-token", pattern=r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    Rule(
        name="api-key",
        pattern=r"(?:\b|_)(?:(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}|(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{16,}"
        r"|AKIA[0-9A-Z]{16}|AIza[A-Za-z0-9_-]{30,}|gh[opsur]_[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{20,}"
        r"|xox[abprs]-[A-Za-z0-9-]{10,})",
    ),
    Rule(name="password-in-url", pattern=r"://[^/\s:@]*:[^/\s@]+@"),
    Rule(name="e-mail", pattern=r"[\pL\pN._%+-]+@[\pL\pN-]+(?:\.[\pL\pN-]+)+"),
)
"""What `--redact-defaults` switches on."""
