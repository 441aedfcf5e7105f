"""The page describes every route that there is, and nothing else."""

import json
from pathlib import Path

from console.server.http import application
from console.server.openapi import page
from tests.unit.server.engines import engine


async def test_every_route_is_on_the_page_and_every_reference_leads_somewhere(tmp_path: Path) -> None:
    async with engine(tmp_path) as (door, _, _clock):
        app = application(door)
        served = {(r.method.lower(), r.resource.canonical) for r in app.router.routes() if r.resource is not None}
    described = {(method, path) for path, methods in page()["paths"].items() for method in methods}
    assert served == described
    text = json.dumps(page())
    schemas = page()["components"]["schemas"]
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= set(schemas)
    # A comparison's changes have the same short name as the stream's.
    assert {"Snapshot", "console.domain.wire.Change", "Heartbeat", "Proposal", "Problem"} <= set(schemas)
