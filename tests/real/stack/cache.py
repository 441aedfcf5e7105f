"""Where downloads are kept, and how one install is never done twice, nor half."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
"""The project's root folder."""

_DONE = "installed.json"


def cache_dir() -> Path:
    """The folder for downloads: `.cache/real` in the project, or `SWITCHGEAR_TEST_CACHE`."""
    return Path(os.environ.get("SWITCHGEAR_TEST_CACHE") or PROJECT / ".cache" / "real")


def key_of(*parts: object) -> str:
    """A short name that changes whenever one of `parts` does; a path stands for its file's content."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else json.dumps(part).encode())
    return digest.hexdigest()[:12]


@contextmanager
def installing(folder: Path) -> Iterator[bool]:
    """Hold the lock on `folder`; yields whether it still has to be filled.

    Left without an exception, the folder counts as installed. A folder that an earlier install left half-filled
    is emptied first. Other processes that want the same folder wait.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker = folder / _DONE
        if marker.exists():
            yield False
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        yield True
        marker.write_text(json.dumps({"installed": True}))


def is_installed(folder: Path) -> bool:
    """Whether `folder` was filled to the end."""
    return (folder / _DONE).exists()
