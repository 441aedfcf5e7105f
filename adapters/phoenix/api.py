"""How Phoenix is asked, and what its refusals mean."""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from urllib.parse import quote

from adapters.http import Credential, Server
from adapters.http_wire import Transport
from adapters.phoenix.options import PhoenixOptions
from adapters.phoenix.pages import Page, Projects, Row
from adapters.spans.paging import PageSize
from console.domain.errors import BackendError, ErrorKind
from console.domain.ports import AdapterContext

PAGE = 1_000
"""Spans of one page at the most; Phoenix gives no more."""
Pairs = Sequence[tuple[str, str]]


class Api:
    """One project of one Phoenix."""

    def __init__(self, context: AdapterContext, transport: Transport | None = None) -> None:
        options: PhoenixOptions = context.options
        self.project = options.project
        self.server = Server(
            options.url,
            timeout_s=context.timeout_s,
            credential=Credential(options.key, context.secret) if options.key else None,
            explain=self._explain,
            transport=transport,
        )
        self.size = PageSize(PAGE)
        self._path = f"/v1/projects/{quote(self.project, safe='')}"

    async def version(self) -> str:
        """Which Phoenix it is; asked without authentication.

        Raises:
            BackendError: what the read met.
        """
        return (await self.server.body("/arize_phoenix_version", ("text/plain",))).decode(errors="replace").strip()

    async def page(self, pairs: Pairs, size: int) -> Page:
        """One page of at most `size` spans.

        Raises:
            BackendError: what the read met.
        """
        return await self.server.json(f"{self._path}/spans", Page, (*pairs, ("limit", str(size))))

    async def pages(self, pairs: Pairs, most: int, size: int = PAGE) -> AsyncIterator[tuple[list[Row], bool]]:
        """The pages of a list, at most `most` of at most `size` spans, each with whether there are more behind it.

        Raises:
            BackendError: what the reads met.
        """
        cursor = ""
        for _ in range(most):
            asked = (*pairs, ("cursor", cursor)) if cursor else pairs
            page = await self.size.ask(partial(self.page, asked), size)
            yield page.data, bool(page.next_cursor)
            if not page.next_cursor or page.next_cursor == cursor:
                return
            cursor = page.next_cursor

    async def all(self, pairs: Pairs, most: int) -> tuple[list[Row], bool]:
        """Every span of a list, at most `most` pages of them, and whether there are more.

        Raises:
            BackendError: what the reads met.
        """
        rows: list[Row] = []
        behind = False
        async for found, more in self.pages(pairs, most):
            rows += found
            behind = more
        return rows, behind

    async def first(self, pairs: Pairs, count: int) -> list[Row]:
        """The first spans of a list.

        Raises:
            BackendError: what the reads met.
        """
        rows: list[Row] = []
        async for found, _ in self.pages(pairs, count, count):
            rows += found
            if len(rows) >= count:
                break
        return rows[:count]

    async def projects(self) -> list[str]:
        """The names of its projects, the newest first; at most a hundred.

        Raises:
            BackendError: what the read met.
        """
        return [one.name for one in (await self.server.json("/v1/projects", Projects, {"limit": "100"})).data]

    def _explain(self, status: int, words: str) -> tuple[ErrorKind, str] | None:
        match status:
            case 401:
                return (
                    ErrorKind.UNAUTHORISED,
                    "Phoenix asks for a key: name one in the option `key` (Settings → API Keys)",
                )
            case 404 if "roject" in words:
                return ErrorKind.UNSUPPORTED, "`switchgear check` lists its projects; name one in the option `project`"
            case _:
                return None


def is_missing_project(error: BackendError) -> bool:
    """Whether a read failed because there is no such project."""
    return error.kind is ErrorKind.UNSUPPORTED and "option `project`" in error.failure.way_out
