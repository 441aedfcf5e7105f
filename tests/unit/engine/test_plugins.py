"""Adapters by entry point: listed without importing, and clear words when one cannot be loaded."""

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from console.domain.ports import AdapterSpec
from console.engine import plugins


def test_the_bundled_adapters_are_listed_in_order() -> None:
    names = list(plugins.available())
    assert names == sorted(names)
    assert {"litellm", "simulator"} <= set(names)


def test_listing_imports_no_adapter() -> None:
    code = (
        "import sys; from console.engine import plugins; plugins.available();"
        "print([m for m in sys.modules if m.split('.')[0] == 'adapters'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_loading_gives_a_spec() -> None:
    spec = plugins.load("simulator")
    assert isinstance(spec, AdapterSpec)
    assert spec.name == "simulator"


def test_an_unknown_name_names_the_near_one_and_all() -> None:
    with pytest.raises(plugins.PluginError, match=r"did you mean 'litellm'.*simulator"):
        plugins.load("litelm")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("no.such.module:SPEC", "cannot be imported: ModuleNotFoundError"),
        ("console.engine.plugins:NOTHING", "cannot be imported: AttributeError"),
        ("console.engine.plugins:GROUP", "is a str and no AdapterSpec"),
    ],
)
def test_a_broken_plugin_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, value: str, words: str) -> None:
    entry = EntryPoint("broken", value, plugins.GROUP)
    monkeypatch.setattr(plugins, "entry_points", lambda group: (entry,))
    with pytest.raises(plugins.PluginError, match=words) as raised:
        plugins.load("broken")
    assert value in str(raised.value)


def test_no_adapter_at_all_is_a_broken_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: ())
    with pytest.raises(plugins.PluginError, match="reinstall"):
        plugins.load("litellm")
