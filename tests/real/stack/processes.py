"""Servers as child processes: each with its own process group, log file and way to stop, all watched by a warden."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.real.stack import warden

START_S = 90.0
"""How long a server may take that is ready in a second or two: in a whole run, dozens of them start at once."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def server_account() -> pwd.struct_passwd | None:
    """The account for servers that refuse to run as root: None when this is not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise LookupError("neither the account postgres nor nobody exists")


class StartError(Exception):
    """A server did not come up; the text ends with the last lines of its log."""


class Child:
    """One server process and everything that it starts."""

    def __init__(
        self, name: str, process: subprocess.Popen[bytes], log: Path, nursery: "Nursery", *, orderly: bool
    ) -> None:
        self.name = name
        self.orderly = orderly
        self.process = process
        self.log = log
        self._nursery = nursery

    @property
    def pid(self) -> int:
        """The process's id, which is its process group's too."""
        return self.process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def signal(self, signum: signal.Signals) -> None:
        """Send a signal to the whole group; nothing happens when it is gone."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signum)

    def kill(self) -> None:
        """End it at once, as a crash would, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.process.wait()
        self._nursery.forget(self)

    def stop(self, grace_s: float = 10.0) -> None:
        """End it for good. Most of these servers have nothing to save; those that have are asked, and killed after
        `grace_s` seconds.
        """
        if self.orderly:
            self.signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(grace_s)
        self.kill()

    def log_tail(self, lines: int = 15) -> str:
        """The end of its output."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def wait_until(self, ready: Callable[[], bool], limit_s: float) -> None:
        """Wait until `ready` says so.

        Raises:
            StartError: it ended, or `limit_s` seconds are over.
        """
        deadline = time.monotonic() + limit_s
        while not ready():
            if not self.running:
                raise StartError(f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} was not ready after {limit_s:.0f} s:\n{self.log_tail()}")
            time.sleep(0.05)


class Nursery:
    """Starts servers, and ends all of them and deletes their folder, even when this process is killed."""

    def __init__(self, where: Path | None = None) -> None:
        """`where` its folder is made; the system's place for temporary files otherwise."""
        self.folder = Path(tempfile.mkdtemp(prefix="switchgear-real-", dir=where))
        self.folder.chmod(0o755)  # a server under another account has its own folder in it
        self._children: list[Child] = []
        command = [sys.executable, "-I", warden.__file__]
        self._warden = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, text=True)
        self._tell(str(self.folder))

    def _tell(self, line: str) -> None:
        stdin = self._warden.stdin
        if stdin is not None and not stdin.closed:
            stdin.write(f"{line}\n")
            stdin.flush()

    def spawn(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        account: pwd.struct_passwd | None = None,
        orderly: bool = False,
    ) -> Child:
        """Start `command` in a session of its own, with its output in a log file of the nursery's folder.

        `orderly`: SIGINT ends it well, and it leaves something behind on the machine when it is killed.
        """
        log = self.folder / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd or self.folder,
                start_new_session=True,
                user=_uid(account),
                group=_gid(account),
                extra_groups=None if account is None else [],
            )
        self._tell(f"+{process.pid}")
        child = Child(name, process, log, self, orderly=orderly)
        self._children.append(child)
        return child

    def forget(self, child: Child) -> None:
        """The child has ended: its number may be another's soon."""
        if child in self._children:
            self._children.remove(child)
            self._tell(f"-{child.pid}")

    def close(self) -> None:
        """End every child, the last one started first, and delete the folder."""
        for child in reversed(list(self._children)):
            child.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._warden.stdin is not None:
            self._warden.stdin.close()
        self._warden.wait()


def run_as(command: Sequence[str | Path], account: pwd.struct_passwd | None, **more: str) -> None:
    """Run a command to its end under `account`, with `more` in its environment.

    Raises:
        StartError: it failed; the text is its output.
    """
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, **more},
        cwd="/",
        check=False,
        user=_uid(account),
        group=_gid(account),
        extra_groups=None if account is None else [],
    )
    if done.returncode:
        raise StartError(f"{command[0]}: {(done.stderr + done.stdout).decode(errors='replace')[-2000:]}")


def _uid(account: pwd.struct_passwd | None) -> int | None:
    return None if account is None else account.pw_uid


def _gid(account: pwd.struct_passwd | None) -> int | None:
    return None if account is None else account.pw_gid
