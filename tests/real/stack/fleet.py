"""What the gateways route: models, groups, fallbacks, keys with budgets. One table for both kinds of gateway."""

from dataclasses import dataclass
from typing import Any

from tests.real.stack.litellm import MASTER_KEY
from tests.real.stack.upstreams import Upstreams


@dataclass(frozen=True, slots=True)
class Model:
    """One deployment; its `id` names its upstream too, unless `upstream` does."""

    id: str
    group: str
    model: str
    """As LiteLLM writes it: what stands before the slash is the provider."""
    path: str
    """What LiteLLM expects in `api_base` after the upstream's own address."""
    weight: int = 1
    order: int = 1
    upstream: str = ""
    """The upstream that answers, where it is not the one of its own name."""

    def definition(self, upstreams: Upstreams) -> dict[str, Any]:
        """The deployment as `/model/new` and `model_list` take it."""
        params: dict[str, Any] = {
            "model": self.model,
            "api_base": upstreams.base(self.upstream or self.id, self.path),
            "api_key": "sk-upstream",
            "weight": self.weight,
            "order": self.order,
            "timeout": 5,
        }
        if self.model.startswith("azure/"):
            params["api_version"] = "2024-10-21"
        return {"model_name": self.group, "litellm_params": params, "model_info": {"id": self.id}}


MODELS = (
    Model("openai-a", "gpt-main", "openai/gpt-4o", "/v1", weight=3),
    Model("azure-b", "gpt-main", "azure/gpt-4o", ""),
    Model("groq-c", "gpt-main", "groq/llama-3.3-70b-versatile", "/openai/v1", order=2),
    Model("backup-d", "backup", "openai/gpt-4o-mini", "/v1"),
    Model("claude-e", "claude-main", "anthropic/claude-sonnet-4-5", ""),
)
"""Three groups over four providers; `groq-c` waits behind the others as long as they answer."""

FILE_MODEL = Model("file-f", "file-main", "openai/gpt-4o-mini", "/v1")
"""The one deployment that the replicas with a database have from their file: LiteLLM's API cannot change it."""

ROUTING: dict[str, Any] = {
    "cooldown_time": 15,
    "allowed_fails": 2,
    "num_retries": 1,
    "fallbacks": [{"gpt-main": ["backup"]}],
}
"""Short cooldowns, so that a test sees one begin and end."""

RELOAD_S = 2
"""How often a replica reads what another one has changed in the database."""


@dataclass(frozen=True, slots=True)
class Key:
    """An application's key."""

    alias: str
    key: str
    models: tuple[str, ...]
    max_budget: float


KEYS = (
    Key("checkout", "sk-real-tier-checkout", ("gpt-main",), 50.0),
    Key("support", "sk-real-tier-support", ("gpt-main", "claude-main"), 20.0),
    Key("batch", "sk-real-tier-batch", ("backup",), 5.0),
)
"""Who spends; `backup` answers for `gpt-main` too, so every key may reach it by fallback."""

VIEWER_KEY = "sk-real-tier-viewer"
"""A key of the role proxy_admin_viewer: it reads everything and changes nothing."""


def base_config(redis_port: int) -> dict[str, Any]:
    """What both kinds of gateway have in their file."""
    redis = {"redis_host": "127.0.0.1", "redis_port": redis_port}
    return {
        "model_list": [],
        "router_settings": redis,
        "litellm_settings": {"callbacks": ["prometheus"], "request_timeout": 10},
        "general_settings": {"master_key": MASTER_KEY},
    }


def database_config(redis_port: int, upstreams: Upstreams) -> dict[str, Any]:
    """A replica whose models (all but one) and settings live in the database."""
    config = base_config(redis_port)
    config["model_list"] = [FILE_MODEL.definition(upstreams)]
    config["general_settings"] |= {
        "store_model_in_db": True,
        "proxy_batch_write_at": 2,
        "proxy_config_reload_interval_seconds": RELOAD_S,
    }
    return config


def file_config(redis_port: int, upstreams: Upstreams) -> dict[str, Any]:
    """A gateway without a database: everything in the file."""
    config = base_config(redis_port)
    config["model_list"] = [model.definition(upstreams) for model in MODELS]
    config["router_settings"] |= ROUTING
    return config
