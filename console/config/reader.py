"""Reads the config: every error at once, each with file, line, what is wrong and what would be right."""

import difflib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from console.config.document import DEMO, Document, environments_in, read
from console.config.model import Config, Environment, SourceConfig
from console.domain.errors import ConfigError

M = TypeVar("M", bound=BaseModel)
Location = tuple[str | int, ...]

_DEMO_NAME = re.compile(
    rf"{DEMO}(?:-(?P<scenario>[a-z][a-z0-9-]*?))??(?:-x(?P<speed>[0-9]+(?:\.[0-9]+)?))?(?:-s(?P<seed>[0-9]{{1,9}}))?"
)
_PASSWORD_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s@]*:[^/\s@]+@", re.IGNORECASE)


MOST_FAULTS = 1000
"""Faults of one file that are looked at."""


class Loaded:
    """A valid config and the document that it came from."""

    def __init__(self, config: Config, document: Document) -> None:
        self.config = config
        self.document = document

    def environment(self, name: str) -> Environment:
        """One environment of the file.

        Raises:
            ConfigError: there is none of that name; the text lists those that there are.
        """
        try:
            return self.config.environments[name]
        except KeyError:
            raise ConfigError(
                f"{self.document.path} has no environment {name!r}{_suggest(name, [*self.config.environments, DEMO])}; "
                f"there are: {', '.join([*sorted(self.config.environments), DEMO])}"
            ) from None

    def adapter_errors(self, name: str, adapters: Mapping[str, type[BaseModel] | None]) -> list[str]:
        """What is wrong with the adapter names and options of one environment, one line a fault.

        `adapters` holds every installed adapter; one without a model is known and its options are not judged.
        """
        found: list[str] = []
        for source, settings in self.environment(name).sources.items():
            base: Location = ("environments", name, "sources", source)
            if settings.adapter not in adapters:
                hint = _suggest(settings.adapter, adapters)
                found.append(
                    f"{self.document.place((*base, 'adapter'))}: there is no adapter {settings.adapter!r}{hint}; "
                    f"installed are: {', '.join(sorted(adapters))}"
                )
                continue
            model = adapters[settings.adapter]
            if model is None:
                continue
            try:
                model.model_validate(settings.options)
            except ValidationError as error:
                found += _explain(error, self.document, (*base, "options"), model)
        return found


def load(path: Path) -> Config:
    """The whole config of a file, valid.

    Raises:
        ConfigError: one line a fault, all faults at once.
    """
    return load_with_lines(path).config


def load_with_lines(path: Path) -> Loaded:
    """As `load`, and where each key stands, for those who validate further."""
    document = read(path)
    faults = [*_misnamed(document), *_passwords(document)]
    config: Config | None = None
    try:
        config = Config.model_validate(document.data)
    except ValidationError as error:
        faults += _explain(error, document, (), Config)
    if config is None or faults:
        raise ConfigError("\n".join(sorted(faults, key=_line)))
    return Loaded(config, document)


def valid(document: Document, model: type[M]) -> M:
    """What a document holds, as its model says.

    Raises:
        ConfigError: one line a fault, all faults at once, each with file and line.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        faults = _explain(error, document, (), model)
    raise ConfigError("\n".join(sorted(faults, key=_line)))


def demo(name: str = DEMO) -> Environment | None:
    """The built-in environment of that name (the simulator, ready to operate), or None when it is not one of them.

    Its three sources, one for each kind of backend, show one world.
    """
    found = _DEMO_NAME.fullmatch(name)
    if found is None:
        return None
    options: dict[str, Any] = {"world": DEMO}
    if found["scenario"]:
        options["scenario"] = found["scenario"]
    if found["speed"]:
        options["speed"] = float(found["speed"])
    if found["seed"]:
        options["seed"] = int(found["seed"])
    parts = {"gateway": "gateway", "jobs": "queues", "traces": "traces"}
    sources = {
        source: SourceConfig(adapter="simulator", interval=1.0, timeout=0.9, options={**options, "part": part})
        for source, part in parts.items()
    }
    return Environment(access="operate", sources=sources)


def _misnamed(document: Document) -> list[str]:
    names, default = environments_in(document.data), document.data.get("default")
    found = [
        f"{document.place(('environments', name))}: {DEMO} and {DEMO}-… are built in; choose another name"
        for name in names
        if demo(name) is not None
    ]
    if default and str(default) not in names and demo(str(default)) is None:
        hint = _suggest(str(default), names)
        known = ", ".join([*names, DEMO])
        found.append(
            f"{document.place(('default',))}: there is no environment {str(default)!r}{hint}; there are: {known}"
        )
    return found


def _line(fault: str) -> int:
    """The line that a fault names, for an order in which a person goes through the file."""
    found = re.search(r":(\d+):", fault)
    return int(found[1]) if found else 0


def _passwords(document: Document) -> list[str]:
    """URLs with a password in them: a secret that slipped in by another door."""
    return [
        f"{document.place(location)}: this URL holds a password; leave the password out, or put the whole URL "
        "behind a reference (env:NAME, file:/path) where the option takes one"
        for location, value in _leaves(document.data, ())
        if isinstance(value, str) and _PASSWORD_IN_URL.match(value)
    ]


def _leaves(node: Any, location: Location) -> list[tuple[Location, Any]]:
    if isinstance(node, dict):
        return [leaf for key, value in node.items() for leaf in _leaves(value, (*location, key))]
    if isinstance(node, list):
        return [leaf for index, value in enumerate(node) for leaf in _leaves(value, (*location, index))]
    return [(location, node)]


def _explain(error: ValidationError, document: Document, base: Location, model: type[BaseModel]) -> list[str]:
    told = [fault for fault in error.errors(include_url=False)[:MOST_FAULTS] if not _is_echo(fault)]
    return list(dict.fromkeys(_fault(fault, document, base, model) for fault in told))


def _is_echo(fault: Any) -> bool:
    """Whether a list is called too short only because what is in it has faults of its own."""
    given = fault["input"]
    return fault["type"] == "too_short" and isinstance(given, list) and len(given) >= fault["ctx"]["min_length"]


def _fault(fault: Any, document: Document, base: Location, model: type[BaseModel]) -> str:
    inner: Location = tuple(part for part in fault["loc"] if part != "[key]")
    place = document.place((*base, *inner))
    kind = fault["type"]
    if kind == "extra_forbidden":
        keys = _keys(model, inner[:-1])
        words = f"unknown key{_suggest(str(inner[-1]), keys)}"
        return f"{place}: {words}; the keys here are: {', '.join(keys)}" if keys else f"{place}: {words}"
    if kind == "missing":
        return f"{place}: is missing, and has to be there"
    if kind == "string_pattern_mismatch" and "[key]" in fault["loc"]:
        return f"{place}: a name here is made of letters, digits, - and _ (environments: small letters)"
    message = fault["msg"].removeprefix("Value error, ")
    return f"{place}: {message[:1].lower()}{message[1:]}"


def _keys(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys that the mapping at `location` may have, walking the JSON Schema that users get as well."""
    schema = _schema(model)
    node: Any = schema
    for part in location:
        node = _deref(schema, node)
        named = node.get("properties", {})
        node = named.get(part) or node.get("additionalProperties") or _of_patterns(node) or node.get("items")
        if not isinstance(node, dict):
            return []
    return list(_deref(schema, node).get("properties", {}))


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return TypeAdapter(model).json_schema()


def _of_patterns(node: Mapping[str, Any]) -> Any:
    return next(iter(node.get("patternProperties", {}).values()), None)


def _deref(schema: Mapping[str, Any], node: Any) -> Any:
    for choice in node.get("anyOf", ()):
        if "$ref" in choice:
            node = choice
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    return node


def _suggest(word: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
