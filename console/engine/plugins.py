"""Adapters are found by entry point, the bundled ones too: listed by name without importing any of them."""

import difflib
from importlib.metadata import EntryPoint, entry_points

from console.domain.ports import AdapterSpec
from console.domain.text import clean

GROUP = "switchgear.adapters"
"""The entry-point group; each entry points at an `AdapterSpec`."""


class PluginError(Exception):
    """An adapter is not there or cannot be loaded; the text says which, why, and the way out."""


def available() -> dict[str, EntryPoint]:
    """Every installed adapter by name, in the order of their names; nothing is imported."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}


def load(name: str) -> AdapterSpec:
    """Import one adapter.

    Raises:
        PluginError: there is none of this name, its import failed, or it is no adapter.
    """
    found = available()
    if name not in found:
        raise PluginError(_unknown(name, list(found)))
    entry = found[name]
    try:
        spec = entry.load()
    except Exception as error:  # a plugin may fail in any way that Python knows
        raise PluginError(
            f"the adapter {clean(name)!r} ({_origin(entry)}) cannot be imported: "
            f"{type(error).__name__}: {clean(str(error))}; reinstall or remove the package that brings it"
        ) from error
    if not isinstance(spec, AdapterSpec):
        raise PluginError(
            f"the adapter {clean(name)!r} ({_origin(entry)}) is a {type(spec).__name__} and no AdapterSpec; "
            "its package has to name one in the entry-point group " + GROUP
        )
    return spec


def _unknown(name: str, known: list[str]) -> str:
    if not known:
        return "no adapter is installed: the package's metadata is missing; reinstall switchgear (pipx, uv tool)"
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"there is no adapter {clean(name)!r}{meant} Installed: {', '.join(map(clean, known))}"


def _origin(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist else "unknown package"
    return f"{clean(entry.value)} of {clean(package)}"
