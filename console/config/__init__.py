"""The config: its shape (`model`), its file with line numbers (`document`), its reader, and secrets.

The shape's classes can be had from here; they come with pydantic at first use only, because the screen asks
`document` for the default environment before its first paint.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.config.model import (
        CommandConfig,
        Config,
        Environment,
        Model,
        Objective,
        OverridePolicy,
        Protect,
        Retention,
        Seconds,
        SourceConfig,
        seconds,
    )

__all__ = [
    "CommandConfig",
    "Config",
    "Environment",
    "Model",
    "Objective",
    "OverridePolicy",
    "Protect",
    "Retention",
    "Seconds",
    "SourceConfig",
    "seconds",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from console.config import model

    return getattr(model, name)
