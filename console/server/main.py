"""The engine's main: from a name to a served environment, and an orderly end."""

import argparse
import asyncio
import contextlib
import grp
import json
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from console import __version__
from console.allocator import spare
from console.config import Environment
from console.config.built_in import built_in
from console.config.game import is_game
from console.control.audit import AuditError
from console.domain.errors import ConfigError
from console.domain.wire import STOPPED, LogKind
from console.engine import plugins
from console.engine.clock import SystemClock
from console.places import config_path, private_dir, runtime_dir, socket_path, state_dir
from console.runtime import AlreadyRuns, Runtime, build, find
from console.runtime.lock import Lock
from console.runtime.rehearsal import rehearse, was_rehearsed
from console.server.collector import settle
from console.server.door import Door
from console.server.http import listening
from console.server.idle import idle, settled
from console.server.report import CONFIG, ERROR, EXIT_CONFIG, EXIT_ERROR, EXIT_OK, EXIT_RUNS, READY, RUNS, Report

log = logging.getLogger(__name__)

LOG_BYTES = 2_000_000
LOG_FILES = 3
END_S = 20.0
"""How long an orderly end may take."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the engine of one environment until it is told to end or nobody needs it.

    Returns:
        The exit code: 0 ended in order, 1 could not start or failed, 75 another engine has the environment, 78 the
        config or a place on disk cannot be used.
    """
    options = _parser().parse_args(arguments)
    if options.describe:
        return _describe(options.describe)
    if options.describe_all:
        return _describe_all()
    if not options.environment:
        _parser().error("which environment?")
    report = Report(background=options.background)
    os.umask(0o077)
    try:
        plan = _plan(options)
        if options.rehearse:
            return _rehearse(plan, options.rehearse)
        _log_to(plan.folder, terminal=not options.background)
        _detach(background=options.background)
        return asyncio.run(_serve(plan, report))
    except AlreadyRuns as error:
        report.say(RUNS, str(error))
        return EXIT_RUNS
    except (ConfigError, plugins.PluginError) as error:
        report.say(CONFIG, str(error))
        return EXIT_CONFIG
    except AuditError as error:
        report.say(ERROR, str(error))
        return EXIT_ERROR
    except OSError as error:
        folders = f"{state_dir(options.environment)} and {runtime_dir()}"
        report.say(ERROR, f"{error}; it writes to {folders}: is there space, and are they yours?")
        return EXIT_ERROR
    except Exception as error:
        log.exception("the engine failed")
        report.say(ERROR, f"the engine failed: {type(error).__name__}: {error}; its log has the details")
        return EXIT_ERROR


def _rehearse(plan: "_Plan", hours: float) -> int:
    """Let the detectors of a simulated environment get to know it, before its engine begins."""
    with Lock(plan.folder / "engine.lock", SystemClock().now()):
        asyncio.run(rehearse(plan.config, plan.folder, SystemClock(), hours * 3600.0))
    return EXIT_OK


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is settled before the engine leaves the folder and the terminal in which it was started."""

    name: str
    config: Environment
    config_path: str
    """Empty for a built-in environment."""
    folder: Path
    socket: Path
    group: int | None
    stay: bool


def _plan(options: argparse.Namespace) -> _Plan:
    path = config_path()
    config = find(options.environment, path)
    return _Plan(
        name=options.environment,
        config=config,
        config_path="" if built_in(options.environment) else str(path),
        folder=private_dir(state_dir(options.environment)),
        socket=socket_path(options.environment),
        group=_group(config),
        stay=options.stay,
    )


async def _serve(plan: _Plan, report: Report) -> int:
    """Open, run, listen, and close again in the opposite order."""
    async with build(
        plan.name,
        plan.config,
        SystemClock(),
        plan.folder,
        config_path=plan.config_path,
        fresh=not plan.config_path and not was_rehearsed(plan.folder) and not is_game(plan.name),
    ) as runtime:
        door = Door(runtime)
        told = asyncio.Event()
        spare()
        settle()
        _on_signals(told)
        async with _running(runtime) as running, listening(door, plan.socket, group=plan.group):
            report.say(READY, f"pid {os.getpid()}")
            runtime.store.say(LogKind.ENGINE, f"engine {__version__} started, pid {os.getpid()}")
            log.info("engine %s of %s is ready", __version__, plan.name)
            why = await _first(running, told, door, stay=plan.stay)
            log.info("engine of %s ends: %s", plan.name, why)
            runtime.store.say(LogKind.ENGINE, f"engine ends: {why}", outcome=STOPPED)
            _end_within(END_S)
    return EXIT_OK


def _end_within(seconds: float) -> None:
    """Let nothing keep a process that has said goodbye: it holds the lock that the next engine needs.

    Whatever was open is in the audit log, for the next start to look up.
    """

    loop = asyncio.get_running_loop()

    def give_up() -> None:
        log.error("the engine did not end within %.0f s; what it hung on follows", seconds)
        for task in asyncio.all_tasks(loop):
            log.error("task %s: %s", task.get_name(), " > ".join(_waiting(task.get_coro())))
        for thread, frame in sys._current_frames().items():
            log.error("thread %s:\n%s", thread, "".join(traceback.format_stack(frame)))
        os._exit(EXIT_ERROR)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()


def _waiting(awaited: Any) -> list[str]:
    """Where a task stands: each function that waits for the next, with its line."""
    found: list[str] = []
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is None:
            return [*found, repr(awaited)]
        found.append(f"{frame.f_code.co_qualname} ({Path(frame.f_code.co_filename).name}:{frame.f_lineno})")
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    return found


@contextlib.asynccontextmanager
async def _running(runtime: Runtime) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(runtime.run(), name="runtime")
    try:
        yield task
    finally:
        if not task.done():
            await settled(runtime)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _first(running: asyncio.Task[None], told: asyncio.Event, door: Door, *, stay: bool) -> str:
    """Wait for the first reason to end, and name it; an error in the runtime is raised."""
    reasons: dict[asyncio.Task[Any], str] = {
        asyncio.create_task(told.wait()): "a signal",
        asyncio.create_task(door.stopped.wait()): "asked to stop",
    }
    if not stay:
        reasons[asyncio.create_task(idle(door))] = "idle: nobody attached, nothing pending"
    try:
        done, _ = await asyncio.wait({running, *reasons}, return_when=asyncio.FIRST_COMPLETED)
        if running in done:
            await running
            raise RuntimeError("the runtime ended by itself")
        return reasons[next(task for task in done if task in reasons)]
    finally:
        for task in reasons:
            task.cancel()


def _on_signals(told: asyncio.Event) -> None:
    """A hang-up changes nothing; SIGTERM and SIGINT end in order."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)


def _detach(*, background: bool) -> None:
    """In the background: a session of its own, and no folder held."""
    if background:
        with contextlib.suppress(PermissionError):
            os.setsid()
        os.chdir("/")


def _group(config: Environment) -> int | None:
    if not config.socket_group:
        return None
    try:
        return grp.getgrnam(config.socket_group).gr_gid
    except KeyError:
        raise ConfigError(
            f"socket_group: this machine has no group {config.socket_group!r}; `groupadd {config.socket_group}`"
        ) from None


def _log_to(folder: Path, *, terminal: bool) -> None:
    """Log to a rotating file, and to standard error when somebody sits there."""
    handlers: list[logging.Handler] = [
        RotatingFileHandler(folder / "engine.log", maxBytes=LOG_BYTES, backupCount=LOG_FILES, encoding="utf-8")
    ]
    if terminal:
        handlers.append(logging.StreamHandler())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=handlers)
    for chatty in ("aiohttp.server", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _describe(adapter: str) -> int:
    """Print what an adapter is and which options it takes, as JSON: the console does not import adapters itself."""
    try:
        spec = plugins.load(adapter)
    except plugins.PluginError as error:
        sys.stderr.write(f"switchgear: {error}\n")
        return EXIT_ERROR
    words = {"name": spec.name, "summary": spec.summary, "tested": spec.tested}
    sys.stdout.write(json.dumps({**words, "options": spec.options.model_json_schema()}) + "\n")
    return EXIT_OK


def _describe_all() -> int:
    """Print what every adapter was tested against, as JSON; one that cannot be used says why instead."""
    found: dict[str, str] = {}
    for name in plugins.available():
        try:
            found[name] = plugins.load(name).tested
        except plugins.PluginError as error:
            found[name] = f"cannot be used: {error}"
    sys.stdout.write(json.dumps(found) + "\n")
    return EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m console.server", description=main.__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("environment", nargs="?", default="")
    parser.add_argument("--stay", action="store_true", help="do not end when nobody is attached")
    parser.add_argument("--background", action="store_true", help="report on standard output, then let go of it")
    parser.add_argument("--rehearse", type=float, metavar="HOURS", help="let detectors watch so much simulated calm")
    parser.add_argument("--describe", metavar="ADAPTER", help="print one adapter's options as JSON Schema")
    parser.add_argument("--describe-all", action="store_true", help="print what each adapter was tested against")
    return parser
