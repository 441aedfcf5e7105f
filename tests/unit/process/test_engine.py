"""The engine's life as a process: started by whoever needs it, one of its kind, and gone when nobody does."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from console.client import attach
from console.domain.errors import EngineLost
from console.domain.wire import Change
from tests.unit.process.place import PATIENCE_S, Place, alive


def test_a_command_starts_the_engine_and_leaves_it_behind(place: Place) -> None:
    first = place.switchgear("status", "--json")
    assert first.returncode == 0, first.stderr
    pid = json.loads(first.stdout)["engine_pid"]
    assert pid == place.pid()
    assert alive(pid)
    assert os.getsid(pid) == pid
    assert json.loads(place.switchgear("status", "--json").stdout)["engine_pid"] == pid
    assert (place.folder / "run").stat().st_mode & 0o777 == 0o700
    assert place.socket.stat().st_mode & 0o777 == 0o600
    log = place.folder / "state" / "plant" / "engine.log"
    assert log.stat().st_mode & 0o077 == 0


def test_two_commands_at_once_start_one_engine(place: Place) -> None:
    answers: list[subprocess.CompletedProcess[str]] = []
    threads = [threading.Thread(target=lambda: answers.append(place.switchgear("status", "--json"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.returncode for answer in answers] == [0, 0, 0], [answer.stderr for answer in answers]
    assert {json.loads(answer.stdout)["engine_pid"] for answer in answers} == {place.pid()}


def test_a_second_engine_is_refused_and_told_of_the_first(place: Place) -> None:
    first = place.engine("--stay")
    place.until_listening()
    second = place.engine("--stay")
    words, _ = second.communicate(timeout=PATIENCE_S)
    assert second.returncode == 75
    assert re.search(rf"another engine of this environment runs: pid {first.pid}, since \d{{4}}-", words)
    assert first.poll() is None
    first.terminate()
    assert first.wait(PATIENCE_S) == 0
    assert not place.socket.exists()


def test_an_engine_that_nobody_needs_ends_and_one_that_stays_does_not(place: Place) -> None:
    place.configure(idle="300ms")
    assert place.switchgear("status").returncode == 0
    place.until_gone()
    assert not place.socket.exists()
    assert "idle" in (place.folder / "state" / "plant" / "engine.log").read_text()
    assert place.switchgear("engine", "--stay").returncode == 0
    pid = place.pid()
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run(["tail", f"--pid={pid}", "-f", "/dev/null"], timeout=1.5, check=False)
    assert place.switchgear("stop").returncode == 0
    place.until_gone()


async def test_a_console_that_is_attached_keeps_the_engine(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.configure(idle="300ms")
    for name, value in place.variables.items():
        if name.startswith("SWITCHGEAR_"):
            monkeypatch.setenv(name, value)
    async with asyncio.timeout(PATIENCE_S), aclosing(attach("plant").events()) as events:
        ends = time.monotonic() + 1.5
        async for _ in events:
            if time.monotonic() > ends:
                break
        assert alive(place.pid())
    await asyncio.to_thread(place.until_gone)


async def test_an_engine_that_was_told_to_end_is_not_started_again_by_its_consoles(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in place.variables.items():
        if name.startswith("SWITCHGEAR_"):
            monkeypatch.setenv(name, value)
    client = attach("plant")
    words: list[str] = []
    attached = asyncio.Event()

    async def follow() -> None:
        async with asyncio.timeout(PATIENCE_S), aclosing(client.events()) as events:
            async for event in events:
                attached.set()
                if isinstance(event, Change):
                    words.extend(entry.words for entry in event.log)

    following = asyncio.create_task(follow())
    await attached.wait()
    stopped = await asyncio.to_thread(place.switchgear, "stop", "--reason", "repairs")
    assert stopped.returncode == 0
    with pytest.raises(EngineLost, match="has ended"):
        await following
    assert "engine asked to end: repairs" in words
    with pytest.raises(EngineLost, match="`switchgear engine plant` starts one"):
        await client.hello()
    os.kill((await attach("plant").hello()).pid, signal.SIGKILL)


def test_an_engine_that_hangs_at_its_end_lets_go_of_the_environment_all_the_same(place: Place) -> None:
    code = (
        "import asyncio, sys\n"
        "import console.server.main as engine\n"
        "from adapters.simulator.adapter import SimulatorAdapter\n"
        "async def close(self): await asyncio.Event().wait()\n"
        "SimulatorAdapter.close = close\n"
        "engine.END_S = 0.5\n"
        "sys.exit(engine.main(['plant', '--stay']))\n"
    )
    hanging = subprocess.Popen([sys.executable, "-c", code], env=place.variables, stderr=subprocess.PIPE, text=True)
    place.until_listening()
    assert place.switchgear("stop").returncode == 0
    _, words = hanging.communicate(timeout=PATIENCE_S)
    assert hanging.returncode == 1
    assert "did not end within" in words
    assert place.switchgear("status").returncode == 0


def test_an_engine_survives_its_console_and_a_hang_up(place: Place) -> None:
    code = (
        "import asyncio, os, console.client as c\n"
        "client = c.attach('plant')\n"
        "print(asyncio.run(client.hello()).pid, flush=True)\n"
        "import time; time.sleep(60)\n"
    )
    console = subprocess.Popen(
        [sys.executable, "-c", code], env=place.variables, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert console.stdout is not None
    pid = int(console.stdout.readline())
    os.killpg(console.pid, signal.SIGKILL)
    console.wait()
    console.stdout.close()
    os.kill(pid, signal.SIGHUP)
    assert json.loads(place.switchgear("status", "--json").stdout)["engine_pid"] == pid


def test_after_a_kill_the_next_one_starts_on_what_is_left(place: Place) -> None:
    place.switchgear("status")
    killed = place.pid()
    os.kill(killed, signal.SIGKILL)
    place.until_gone()
    assert place.socket.exists()
    again = place.switchgear("status", "--json")
    assert again.returncode == 0, again.stderr
    assert place.pid() not in (0, killed)
    assert place.switchgear("audit", "verify").stdout.startswith("holds")


def test_a_broken_config_is_shown_by_whoever_wanted_the_engine(place: Place) -> None:
    place.configure(more="operatrs: [me]")
    answer = place.switchgear("status")
    assert answer.returncode == 78
    assert "config.yaml:7: environments.plant.operatrs: unknown key; did you mean operators?" in answer.stderr
    assert "Traceback" not in answer.stderr
    place.configure()
    config = place.folder / "config.yaml"
    config.write_text(config.read_text().replace("scenario: calm", "scenario: clam"))
    answer = place.switchgear("status")
    assert answer.returncode == 78
    assert "config.yaml:9: environments.plant.sources.world.options.scenario" in answer.stderr


def test_a_disk_that_cannot_be_written_is_named(place: Place) -> None:
    (place.folder / "state" / "plant" / "engine.log").mkdir(parents=True)
    for folder in (place.folder / "state", place.folder / "state" / "plant"):
        folder.chmod(0o700)
    done = place.switchgear("status")
    assert done.returncode == 3
    assert f"{place.folder / 'state' / 'plant'} and {place.folder / 'run'}: is there space" in done.stderr


def test_the_overrides_end_is_kept_by_the_engine_after_its_console_is_gone(place: Place) -> None:
    place.configure(idle="3s")
    acted = place.switchgear("act", "weight", "chat-openai", "5", "--reason", "a test", "--ttl", "4s", "--yes")
    assert acted.returncode == 0, acted.stdout + acted.stderr
    pid = place.pid()
    assert alive(pid)
    place.until_gone()
    assert place.pid() == pid
    log = place.switchgear("audit", "--limit", "100").stdout
    assert "expiry" in log
    state = json.loads(place.switchgear("status", "--json").stdout)
    assert state["overrides"] == []


class _Elsewhere(asyncio.Protocol):
    """An engine of a time to come."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nSwitchgear-Protocol: 99\r\nSwitchgear-Version: 9.0\r\nContent-Length: 2\r\n"
        self.transport.write(head + b"Connection: close\r\n\r\n{}")


async def test_a_console_says_when_the_engine_speaks_another_protocol(place: Place) -> None:
    place.socket.parent.mkdir(mode=0o700)
    server = await asyncio.get_running_loop().create_unix_server(_Elsewhere, str(place.socket))
    async with server:
        with pytest.raises(EngineLost, match=r"the engine of plant is 9\.0 \(protocol 99\).*switchgear stop plant"):
            await place.client.hello()
        await place.client.stop("way out")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_account_cannot_enter(place: Place) -> None:
    code = (
        "import asyncio, os, sys\n"
        "from pathlib import Path\n"
        "from console.client import SocketClient, exchange\n"  # as nobody, no module can be loaded any more
        "from console.domain.errors import EngineLost, Refusal\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: print(asyncio.run(SocketClient(Path(sys.argv[1]), 'plant').hello()))\n"
        "except (EngineLost, Refusal) as error: print(type(error).__name__, error)\n"
    )

    def as_nobody() -> str:
        command = [sys.executable, "-c", code, str(place.socket)]
        return subprocess.run(
            command, env=place.variables, capture_output=True, text=True, timeout=PATIENCE_S, check=True
        ).stdout

    place.folder.chmod(0o711)
    place.switchgear("status")
    assert as_nobody().startswith("EngineLost you may not enter")
    place.switchgear("stop")
    place.until_gone()
    group = Path("/etc/group").read_text()
    name = next(line.split(":")[0] for line in group.splitlines() if line.split(":")[2] == "65534")
    place.configure(more=f"socket_group: {name}")
    place.switchgear("status")
    assert place.socket.stat().st_mode & 0o777 == 0o660
    assert (place.folder / "run").stat().st_mode & 0o777 == 0o710
    assert as_nobody().startswith("Refusal nobody may not look at plant")
    place.switchgear("stop")
    place.until_gone()
    place.configure(more=f"socket_group: {name}\n    readers: [nobody]")
    place.switchgear("status")
    assert "operator='nobody', uid=65534, level=<AccessLevel.READ_ONLY" in as_nobody()
