"""The rows of `switchgear check`: what was tried, and what came of it. Nothing is changed."""

from collections.abc import Awaitable

from adapters.phoenix.api import Api, is_missing_project
from adapters.phoenix.options import PhoenixOptions
from console.domain.errors import BackendError
from console.domain.wire import CheckRow


async def check_rows(source: str, replica: str, api: Api, options: PhoenixOptions) -> tuple[CheckRow, ...]:
    """Every row; never raises BackendError."""

    async def row(what: str, trial: Awaitable[tuple[bool | None, str]]) -> CheckRow:
        try:
            ok, words = await trial
        except BackendError as error:
            ok, words = False, str(error.failure)
        return CheckRow(source=source, replica=replica, what=what, ok=ok, words=words)

    return (
        await row("reachable", _reach(api)),
        await row("project", _project(api)),
        await row("services", _services(api, options.service)),
    )


async def _reach(api: Api) -> tuple[bool, str]:
    return True, f"Phoenix {await api.version()} at {api.server.url}"


async def _project(api: Api) -> tuple[bool, str]:
    try:
        page = await api.page((), 1)
    except BackendError as error:
        if not is_missing_project(error):
            raise
        return False, f"there is no project {api.project}; there are {', '.join(await api.projects()) or 'none'}"
    return True, api.project if page.data else f"{api.project}, without any span yet"


async def _services(api: Api, attribute: str) -> tuple[bool | None, str]:
    """Whether the newest requests say which service took them in."""
    rows = (await api.page((("parent_id", "null"),), 20)).data
    named = sum(isinstance(row.attributes.get(attribute), str) for row in rows)
    if not rows:
        return None, "no request has come yet"
    words = f"{named} of the newest {len(rows)} requests say {attribute}"
    return (True, words) if named else (None, f"{words}: Phoenix drops resource attributes, put it onto the root span")
