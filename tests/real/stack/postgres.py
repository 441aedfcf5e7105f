"""PostgreSQL on loopback with LiteLLM's tables in it: found on this machine, started on a prepared cluster."""

import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.real.stack.cache import cache_dir, installing, key_of
from tests.real.stack.install import LITELLM_VERSION
from tests.real.stack.missing import Missing
from tests.real.stack.processes import START_S, Child, Nursery, free_port, run_as, server_account

DATABASE = "litellm"
"""The database that LiteLLM uses; its user is `postgres`, and loopback needs no password."""
_FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


def programs() -> Path:
    """The folder with `postgres`, `initdb` and `psql`: the one on PATH, or the newest of Debian's.

    Raises:
        Missing: there is none.
    """
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    versions = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(versions, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0), reverse=True)
    for folder in folders:
        if all((folder / name).exists() for name in ("postgres", "initdb", "psql")):
            return folder
    raise Missing("PostgreSQL is not installed (apt-get install postgresql, or brew install postgresql)")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server."""

    child: Child
    port: int
    psql: Path

    @property
    def url(self) -> str:
        """What LiteLLM calls DATABASE_URL."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{DATABASE}"

    def query(self, sql: str) -> list[list[str]]:
        """The rows of one statement, every value as text."""
        command: list[str | Path] = [
            self.psql,
            "-X",
            "-q",
            "-A",
            "-t",
            "-F",
            "\t",
            "-d",
            self.url,
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            sql,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]


def start_postgres(nursery: Nursery, migrations: list[Path]) -> Postgres:
    """A server with LiteLLM's tables, on a free port, with its data in the nursery's folder.

    Raises:
        Missing: PostgreSQL is not installed.
        StartError: it did not come up.
    """
    account = server_account()
    home = nursery.folder / "postgres"
    home.mkdir()
    shutil.copytree(_template(migrations), home / "data")
    _give(home, account)
    return _serve(nursery, home, account)


def _serve(nursery: Nursery, home: Path, account: pwd.struct_passwd | None) -> Postgres:
    port, folder = free_port(), programs()
    (home / "data").chmod(0o700)
    where = ("-D", home / "data", "-p", str(port), "-h", "127.0.0.1", "-k", "")
    child = nursery.spawn("postgres", [folder / "postgres", *where, *_FAST], cwd=home, account=account, orderly=True)
    server = Postgres(child, port, folder / "psql")
    child.wait_until(lambda: _answers(server), START_S)
    return server


def _answers(server: Postgres) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), 1).close()
    except OSError:
        return False
    done = subprocess.run(
        [server.psql, "-X", "-q", "-d", server.url.replace(f"/{DATABASE}", "/postgres"), "-c", "select 1"],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def _template(migrations: list[Path]) -> Path:
    """A cluster with LiteLLM's tables, as made once for this PostgreSQL and this LiteLLM; only ever copied."""
    version = subprocess.run([programs() / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    folder = cache_dir() / f"postgres-{key_of(version, LITELLM_VERSION, [path.parent.name for path in migrations])}"
    with installing(folder) as needed:
        if needed:
            print(f"preparing a database with LiteLLM's tables in {folder} (once)", flush=True)
            _make_template(folder / "data", migrations)
    return folder / "data"


def _make_template(to: Path, migrations: list[Path]) -> None:
    account, nursery = server_account(), Nursery()
    try:
        home = nursery.folder / "template"
        home.mkdir()
        _give(home, account)
        initdb: list[str | Path] = [
            programs() / "initdb",
            "-D",
            home / "data",
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        run_as([*initdb, "--locale=C"], account)
        server = _serve(nursery, home, account)
        base: list[str | Path] = [server.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        run_as(
            [*base, "-d", server.url.replace(f"/{DATABASE}", "/postgres"), "-c", f"create database {DATABASE}"], None
        )
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write("\n".join(f"\\i '{path}'" for path in migrations))
            script.flush()
            run_as([*base, "-d", server.url, "-f", script.name], None)
        server.child.stop()
        shutil.copytree(home / "data", to)
    finally:
        nursery.close()


def _give(folder: Path, account: pwd.struct_passwd | None) -> None:
    if account is None:
        return
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, account.pw_uid, account.pw_gid)
