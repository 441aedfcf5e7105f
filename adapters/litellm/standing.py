"""What this LiteLLM is and what the key may do there: found out from reads alone, and again when it may have changed.

Nothing here is asked twice after a refusal: LiteLLM books a refused request as a failure in its own metrics.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from adapters.http import Server
from console.domain.errors import BackendError, ErrorKind

ADMIN = "proxy_admin"
VIEWER = "proxy_admin_viewer"
PLAIN = "plain key"
LONGEST_S = 1e9
"""A time setting of this many seconds, or of more, is not believed."""


class _Readiness(msgspec.Struct):
    db: str = ""
    litellm_version: str = ""


class _User(msgspec.Struct):
    user_role: str | None = None


class _Settings(msgspec.Struct):
    current_values: dict[str, Any] = {}
    source: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Standing:
    """Database, version and role, as found out from one replica."""

    database: bool
    role: str
    """`proxy_admin`, `proxy_admin_viewer`, `plain key`, or LiteLLM's own word for another role."""
    version: str = ""

    @property
    def sees_all(self) -> bool:
        """Whether the key may read settings and spend."""
        return self.role in (ADMIN, VIEWER)

    @property
    def why_no_change(self) -> str:
        """Why the API takes no changes from this key; empty when it does."""
        if not self.database:
            return "this LiteLLM has no database, so its API changes nothing"
        return "" if self.role == ADMIN else f"the key's role is {self.role}; a change needs proxy_admin"


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """What `/router/settings` says: the router overlaid with the database."""

    aliases: dict[str, Any]
    """Name → route, or `{model, hidden}`; kept raw, because it is written back as it was."""
    alias_owner: str
    """`config` when the config file holds the aliases: then the API refuses to change them."""
    fallbacks: dict[str, tuple[str, ...]]
    cooldown_s: float | None


async def find_standing(reader: Server, actor: Server) -> Standing:
    """Ask one replica. `reader` has the key for reading and `actor` the key for changes, whose role counts.

    Raises:
        BackendError: the replica does not answer, or accepts no key.
    """
    database = (await reader.json("/health/readiness", _Readiness)).db == "connected"
    version = ""
    try:
        version = (await reader.json("/health/readiness/details", _Readiness)).litellm_version
    except BackendError as error:
        if error.kind not in (ErrorKind.FORBIDDEN, ErrorKind.UNSUPPORTED):  # older ones have no such page
            raise
    return Standing(database, await _role(actor) if database else ADMIN, version)


async def _role(actor: Server) -> str:
    """The role behind the key. Without a database LiteLLM knows only the master key, and this is not asked."""
    try:
        return (await actor.json("/v2/user/info", _User)).user_role or PLAIN
    except BackendError as error:
        if error.kind is not ErrorKind.UNSUPPORTED:
            raise
        if "HTTP 404" not in error.failure.message:
            return PLAIN  # 400: the key belongs to no user
    try:  # a user that is nowhere: the master key, which is in no table either
        await actor.body("/key/info", ("json",))
    except BackendError as error:
        if "HTTP 404" in error.failure.message:
            return ADMIN
        raise
    return PLAIN


async def read_settings(reader: Server) -> RouterSettings:
    """Read the router's settings.

    Raises:
        BackendError: what the read met.
    """
    found = await reader.json("/router/settings", _Settings)
    values = found.current_values
    aliases = values.get("model_group_alias")
    cooldown = values.get("cooldown_time")
    return RouterSettings(
        aliases=dict(aliases) if isinstance(aliases, dict) else {},
        alias_owner=found.source.get("model_group_alias", ""),
        fallbacks=_fallbacks(values.get("fallbacks")),
        cooldown_s=float(cooldown) if isinstance(cooldown, int | float) and 0 <= cooldown < LONGEST_S else None,
    )


def _fallbacks(found: Any) -> dict[str, tuple[str, ...]]:
    """`[{"a": ["b"]}, …]` as a dict; entries of another form are passed over."""
    result: dict[str, tuple[str, ...]] = {}
    for entry in found if isinstance(found, list) else []:
        for name, targets in entry.items() if isinstance(entry, dict) else ():
            if isinstance(targets, list):
                result[name] = tuple(target for target in targets if isinstance(target, str))
    return result


def explain(status: int, words: str) -> tuple[ErrorKind, str] | None:
    """What LiteLLM means where its status says something else."""
    if status == 401 and "Only proxy admin" in words:
        return ErrorKind.FORBIDDEN, "use a key with the role proxy_admin, or proxy_admin_viewer for reading"
    if "No connected db" in words:
        return ErrorKind.UNAUTHORISED, "without a database LiteLLM knows only its master key"
    if any(
        said in words for said in ("DB not connected", "Database not connected", "No DB Connected", "No db connected")
    ):
        return ErrorKind.UNSUPPORTED, "this LiteLLM has no database"
    if "config-based model" in words:
        return ErrorKind.UNSUPPORTED, "it is defined in LiteLLM's config file; change it there"
    if "not found on" in words:
        return ErrorKind.UNSUPPORTED, "LiteLLM no longer has it; look again"
    return None
