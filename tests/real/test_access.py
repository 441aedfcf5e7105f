"""Who may do what, tried from outside: read-only changes nothing, and another account does not get in."""

import json
import os
import subprocess
from typing import Any

import pytest

from console.domain.actions import Trip
from console.domain.errors import Refusal
from console.domain.wire import AccessLevel, AccessRequest, Confirm
from tests.real.operator import deployment, operating, route
from tests.real.raw_socket import ask, ask_as
from tests.real.stack.switchgear import Home
from tests.real.stack.testbed import Testbed

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another account")
OPENAI = str(deployment("openai-a"))


def _intent(action: dict[str, Any], target: str = "openai-a", kind: str = "deployment") -> dict[str, Any]:
    ref = {"source": "gateway", "kind": kind, "name": target}
    return {"target": ref, "action": action, "reason": "raw", "ttl_s": 60.0}


ACTIONS = (
    _intent({"type": "trip"}),
    _intent({"type": "reset"}),
    _intent({"type": "weight", "weight": 0.0}),
    _intent({"type": "switch", "to": "backup", "mechanism": "alias"}, "gpt-main", "route"),
)


def _writes(testbed: Testbed) -> int:
    """How many requests that could change anything both replicas have answered with success."""
    words = ("POST /model/", "PATCH /model/", "POST /config/", "DELETE /", "POST /fallback", "POST /key/")
    lines = [line for replica in testbed.replicas for line in replica.child.log.read_text().splitlines()]
    return sum(any(f'"{word}' in line for word in words) for line in lines)


async def test_read_only_refuses_raw_calls(testbed: Testbed) -> None:
    home = Home(testbed, "raw", access="read-only")
    async with operating(home) as (operator, _):
        before = _writes(testbed)
        for intent in ACTIONS:
            proposed = ask(home.socket, "POST", "/v1/propose", intent)
            assert proposed.status in (200, 403), proposed
            if proposed.status == 200:
                proposal = json.loads(proposed.body)
                yes = {"proposal_id": proposal["id"], "typed_name": intent["target"]["name"]}
                assert ask(home.socket, "POST", "/v1/confirm", yes).status == 403
        assert ask(home.socket, "POST", "/v1/confirm", {"proposal_id": "made-up"}).status in (403, 404)
        assert ask(home.socket, "POST", "/v1/confirm", {"proposal_id": ["no", "string"]}).status == 400
        assert ask(home.socket, "PUT", "/v1/confirm", {}).status == 405
        assert (await operator.client.hello()).access.level is AccessLevel.READ_ONLY
        assert _writes(testbed) == before
        assert testbed.redis.client().keys("deployment:*:cooldown") == []


async def test_read_only_refuses_the_command_line(testbed: Testbed) -> None:
    home = Home(testbed, "cli", access="read-only")
    async with operating(home):
        before = _writes(testbed)
        for words in (["trip", OPENAI], ["weight", OPENAI, "0"], ["switch", str(route("gpt-main")), "backup"]):
            command = [*home.command(), "act", *words, "-e", home.name, "--reason", "try", "--yes"]
            done = subprocess.run(command, env=home.environment(), capture_output=True, text=True, check=False)
            assert done.returncode != 0, done.stdout
            assert "read-only" in done.stdout + done.stderr
            assert "Traceback" not in done.stderr
        assert _writes(testbed) == before


async def test_operate_is_granted_with_a_reason_and_not_to_everybody(testbed: Testbed) -> None:
    home = Home(testbed, "nobodys", access="read-only", operators=["somebody-else"])
    async with operating(home) as (operator, _):
        with pytest.raises(Refusal):
            await operator.client.access(AccessRequest(level=AccessLevel.OPERATE, reason="please"))
        proposal = await operator.propose(deployment("openai-a"), Trip())
        with pytest.raises(Refusal):
            await operator.client.confirm(Confirm(proposal_id=proposal.id, typed_name="openai-a"))
    home = Home(testbed, "granted", access="read-only")
    async with operating(home) as (operator, _):
        with pytest.raises(Refusal):
            await operator.client.access(AccessRequest(level=AccessLevel.OPERATE, reason=""))
        access = await operator.client.access(AccessRequest(level=AccessLevel.OPERATE, reason="drill", minutes=5))
        assert access.level is AccessLevel.OPERATE
        assert access.until is not None


@as_root
async def test_another_account_cannot_enter(testbed: Testbed) -> None:
    home = Home(testbed, "closed")
    async with operating(home):
        assert ask(home.socket, "GET", "/v1/hello").status == 200
        assert ask_as("nobody", home.socket, "GET", "/v1/hello") == "PermissionError"
        for path in (home.folder / "state").rglob("*"):
            assert not path.stat().st_mode & 0o077, path


@as_root
async def test_another_account_that_reaches_the_socket_is_refused_by_the_kernels_word(testbed: Testbed) -> None:
    home = Home(testbed, "ajar")
    async with operating(home):
        before = _writes(testbed)
        (home.folder / "run").chmod(0o755)  # somebody was careless
        home.socket.chmod(0o666)
        assert ask_as("nobody", home.socket, "GET", "/v1/hello") == "403"
        assert ask_as("nobody", home.socket, "GET", "/v1/events") == "403"
        assert ask_as("nobody", home.socket, "POST", "/v1/propose", ACTIONS[0]) == "403"
        wish = {"level": "operate", "reason": "let me in"}
        assert ask_as("nobody", home.socket, "POST", "/v1/access", wish) == "403"
        assert ask_as("nobody", home.socket, "POST", "/v1/stop", {"reason": "no"}) == "403"
        assert ask(home.socket, "GET", "/v1/hello").status == 200
        assert _writes(testbed) == before


@as_root
async def test_a_reader_of_another_account_reads_and_cannot_act(testbed: Testbed) -> None:
    home = Home(testbed, "reader", readers=["@owner", "nobody"])
    async with operating(home):
        (home.folder / "run").chmod(0o755)
        home.socket.chmod(0o666)
        assert ask_as("nobody", home.socket, "GET", "/v1/hello") == "200"
        wish = {"level": "operate", "reason": "let me in"}
        assert ask_as("nobody", home.socket, "POST", "/v1/access", wish) == "403"
        assert ask_as("nobody", home.socket, "POST", "/v1/confirm", {"proposal_id": "x"}) == "403"
        assert ask_as("nobody", home.socket, "POST", "/v1/stop", {"reason": "no"}) == "403"
