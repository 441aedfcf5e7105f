"""A request taken out of one engine, and opened where none of its backends is."""

import asyncio
import os
import time
from pathlib import Path

from console.cli.exits import Exit
from console.client import attach
from console.domain.spans import RequestQuery
from tests.unit.process.place import PATIENCE_S, Place
from tests.unit.process.test_screen import Screen

DEMO = "demo-x20"
"""Twenty times as fast as life, so that requests are there at once."""


def _one_request(variables: dict[str, str]) -> str:
    """Start the demo, and wait for a request."""
    os.environ.update(variables)

    async def ask() -> str:
        client = attach(DEMO)
        end = time.monotonic() + PATIENCE_S
        while not (found := await client.requests(RequestQuery(source="traces", limit=1))):
            assert time.monotonic() < end
            await asyncio.sleep(0.2)
        return found[0].trace_id

    return asyncio.run(ask())


def test_a_request_leaves_and_is_shown_again(place: Place, tmp_path: Path) -> None:
    before = dict(os.environ)
    try:
        trace_id = _one_request(place.variables)
    finally:
        os.environ.clear()
        os.environ.update(before)
    file = tmp_path / "it.json.gz"
    written = place.switchgear("bundle", trace_id, "-e", DEMO, "-o", str(file))
    assert written.returncode == Exit.OK, written.stderr
    assert "1 requests" in written.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    again = place.switchgear("bundle", trace_id, "-e", DEMO, "-o", str(file))
    assert again.returncode == Exit.CONFIG
    assert "is there already" in again.stderr
    screen = Screen(place, "open", str(file))
    try:
        screen.until(b"READ-ONLY")
        screen.until(b"request")
        os.write(screen.here, b"q")
        assert screen.process.wait(PATIENCE_S) == Exit.OK
    finally:
        screen.close()
    (opened,) = (place.folder / "state").glob("open-*")
    assert not (opened / "bundle.json.gz").exists(), "the copy goes with the screen"


def test_what_is_no_bundle_is_said(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "it.json.gz"
    file.write_text("<html>")
    refused = place.switchgear("open", str(file))
    assert refused.returncode == Exit.CONFIG
    assert "is no bundle" in refused.stderr
    assert place.switchgear("open", str(tmp_path / "none")).returncode == Exit.CONFIG


def test_an_opened_file_cannot_be_acted_on(place: Place) -> None:
    refused = place.switchgear("act", "trip", "x", "-e", "open-0123456789ab", "--reason", "r", "--operate", "--yes")
    assert refused.returncode != Exit.OK
