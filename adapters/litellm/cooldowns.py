"""LiteLLM's cooldowns, which no endpoint lists, in the Redis that its replicas share.

One key for each deployment, `deployment:ID:cooldown`, that expires with the cooldown. Every replica reads it at most
a second later, and keeps a copy in memory: a key that is deleted early still counts there for a while.
"""

import ast
import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.http import safe_url
from console.domain.errors import BackendError, ConfigError, ErrorKind

if TYPE_CHECKING:
    from redis.asyncio import Redis

MARK = "tripped by an operator"
"""What a trip of ours says in `exception_received`, so that it is told from LiteLLM's own cooldowns."""

SHORT_COPY_S = 60.0
"""How long a replica may go on with its copy of a cooldown that had less than `LONG_S` to go."""
LONG_COPY_S = 600.0
LONG_S = 595.0

FAR = 1e11
"""No cooldown is believed to last longer than until this moment (in the year 5138)."""


@dataclass(frozen=True, slots=True)
class Cooldown:
    """One deployment that is kept from requests until a moment."""

    until: float
    """Unix seconds."""
    cause: str
    """In LiteLLM's words; untrusted."""
    ours: bool

    def copy_lasts_until(self, now: float) -> float:
        """Until when replicas may go on with their copies when the key is deleted now."""
        return min(self.until, now + (LONG_COPY_S if self.until - now > LONG_S else SHORT_COPY_S))


class Cooldowns:
    """Reads and writes the cooldown keys."""

    def __init__(self, url: str, secret: Callable[[str], str], timeout_s: float) -> None:
        """`url`: a Redis URL, or the reference to one."""
        plain = url.startswith(("redis://", "rediss://", "unix://"))
        self.where = safe_url(url) if plain else f"Redis at {url}"
        self.requests = 0
        self._url = url
        self._plain = plain
        self._secret = secret
        self._timeout_s = timeout_s
        self._redis: Redis | None = None

    async def read(self, ids: Iterable[str]) -> dict[str, Cooldown]:
        """The cooldowns of the given deployments, in one command.

        Raises:
            BackendError: UNREACHABLE, TIMEOUT, UNAUTHORISED or MALFORMED.
        """
        wanted = list(ids)
        if not wanted:
            await self._ask("PING")
            return {}
        values = await self._ask("MGET", *map(_key, wanted))
        found = {name: parse_cooldown(value) for name, value in zip(wanted, values, strict=True) if value}
        return {name: cooldown for name, cooldown in found.items() if cooldown}

    async def trip(self, deployment: str, seconds: float, now: float) -> None:
        """Keep requests away for `seconds`; Redis ends it, whatever becomes of this process."""
        value = {"exception_received": MARK, "status_code": "503", "timestamp": now, "cooldown_time": seconds}
        await self._ask("SET", _key(deployment), msgspec.json.encode(value), "PX", int(seconds * 1000), writes=True)

    async def release(self, deployment: str) -> None:
        """Delete the key; the replicas' copies last on (`Cooldown.copy_lasts_until`)."""
        await self._ask("DEL", _key(deployment), writes=True)

    async def close(self) -> None:
        """Give the connection back."""
        if self._redis is not None:
            await self._redis.aclose()
            self._redis = None

    async def _ask(self, *command: Any, writes: bool = False) -> Any:
        from redis import exceptions

        self.requests += 1
        lost = ErrorKind.UNKNOWN_OUTCOME if writes else ErrorKind.TIMEOUT
        try:
            client = await self._client()
            async with asyncio.timeout(self._timeout_s):
                return await client.execute_command(*command)  # type: ignore[no-untyped-call]
        except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
            raise self._error(ErrorKind.UNAUTHORISED, error, "check the password in the Redis URL") from None
        except (exceptions.TimeoutError, TimeoutError) as error:
            raise self._error(lost, error, "is it the right address?") from None
        except (exceptions.ConnectionError, OSError) as error:
            kind = ErrorKind.UNKNOWN_OUTCOME if writes and "connecting to" not in str(error) else ErrorKind.UNREACHABLE
            raise self._error(kind, error, "is it running, and is the URL right?") from None
        except (exceptions.RedisError, ValueError) as error:
            raise self._error(ErrorKind.FAILED, error, "") from None

    async def _client(self) -> "Redis":
        from redis.asyncio import Redis

        if self._redis is None:
            try:
                url = self._url if self._plain else await asyncio.to_thread(self._secret, self._url)
            except ConfigError as error:
                raise BackendError(ErrorKind.UNAUTHORISED, f"no Redis URL: {error}", where=self.where) from None
            self._redis = Redis.from_url(
                url, socket_timeout=self._timeout_s, socket_connect_timeout=self._timeout_s, max_connections=2
            )
        return self._redis

    def _error(self, kind: ErrorKind, error: BaseException, way_out: str) -> BackendError:
        words = (str(error) or type(error).__name__)[:120]
        return BackendError(kind, f"Redis: {words}", where=self.where, way_out=way_out)


def parse_cooldown(value: bytes) -> Cooldown | None:
    """Read one value: JSON from outside, a Python dict's text from LiteLLM; None when it is neither."""
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        try:
            found = ast.literal_eval(value[:10_000].decode(errors="replace"))
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
    if not isinstance(found, dict):
        return None
    began, lasts = found.get("timestamp"), found.get("cooldown_time")
    if not isinstance(began, int | float) or not isinstance(lasts, int | float):
        return None
    words = str(found.get("exception_received", ""))
    status = str(found.get("status_code", ""))
    ours = words == MARK
    cause = words if ours else " ".join(part for part in (status, words.rstrip("* ")) if part)
    until = min(began + lasts, FAR)  # before it becomes a float: an int may be too large for one
    return Cooldown(float(max(0, until)), cause[:200], ours)


def _key(deployment: str) -> str:
    return f"deployment:{deployment}:cooldown"
