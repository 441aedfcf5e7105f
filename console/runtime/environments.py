"""From an environment's name to its valid config, adapters' own options included."""

from pathlib import Path

from pydantic import ValidationError

from console.config import Environment
from console.config.built_in import built_in
from console.config.reader import load_with_lines
from console.domain.errors import ConfigError
from console.engine import plugins


def find(name: str, path: Path) -> Environment:
    """The environment `name`: built in, or from the config file at `path`.

    Raises:
        ConfigError: there is none of that name, or the file or an adapter's options are wrong; one line a fault.
    """
    ready = built_in(name)
    if ready is not None:
        return _judged(name, ready)
    if not path.exists():
        raise ConfigError(
            f"there is no environment {name!r}: {path} does not exist; `switchgear init` writes one, "
            "and `switchgear demo` works without"
        )
    loaded = load_with_lines(path)
    environment = loaded.environment(name)
    faults: list[str] = []
    options = {}
    for adapter in plugins.available():
        if any(source.adapter == adapter for source in environment.sources.values()):
            try:
                options[adapter] = plugins.load(adapter).options
            except plugins.PluginError as error:
                faults.append(str(error))
    known = {**dict.fromkeys(plugins.available()), **options}
    faults += loaded.adapter_errors(name, known)
    if faults:
        raise ConfigError("\n".join(faults))
    return environment


def _judged(name: str, environment: Environment) -> Environment:
    """A built-in environment whose name may ask for a scenario that there is not."""
    for source in environment.sources.values():
        try:
            plugins.load(source.adapter).options.model_validate(source.options)
        except ValidationError as error:
            found = ((fault["loc"][0], fault["msg"].removeprefix("Value error, ").lower()) for fault in error.errors())
            faults = "; ".join(f"{place}: {words}" for place, words in found)
            raise ConfigError(f"{name}: {faults}; `switchgear adapters {source.adapter}` lists what there is") from None
    return environment
