"""A secret is a reference: what the config holds is where to find it, and it is found at the moment of use.

`env:NAME` · `file:/path` (its first line) · `keyring:service/name` · `command:program argument …` (no shell).
"""

import importlib
import os
import shlex
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from console.domain.errors import ConfigError

COMMAND_TIMEOUT_S = 10.0
"""How long a `command:` may take."""

_FORMS = "env:NAME, file:/path, keyring:service/name or command:program argument …"


def check_reference(text: str) -> str:
    """The text itself when it is a reference to a secret.

    Raises:
        ValueError: it is not; the words never repeat the text, because it may be the secret itself.
    """
    scheme, colon, rest = text.partition(":")
    if not colon or scheme not in _FINDERS or not rest.strip() or rest.startswith("//"):
        raise ValueError(f"a secret is not written here; write where it is: {_FORMS}")
    if scheme == "keyring" and not all(rest.partition("/")[::2]):
        raise ValueError("a keyring reference is keyring:service/name")
    if scheme == "command":
        try:
            shlex.split(rest)
        except ValueError as error:
            raise ValueError(f"the command cannot be split into arguments: {error}") from None
    return text


SecretRef = Annotated[
    str,
    AfterValidator(check_reference),
    Field(description=f"Where a secret is found: {_FORMS}.", json_schema_extra={"format": "secret-reference"}),
]
"""The type of every option that is a secret."""


class Secrets:
    """Finds secrets. Nothing is kept: a rotated secret is seen at the next use.

    It reads files and may run programs, so call it off the event loop.
    """

    def __init__(self, warn: Callable[[str], None]) -> None:
        """`warn` hears once of every file that others may read."""
        self._warn = warn
        self._warned: set[str] = set()

    def resolve(self, reference: str) -> str:
        """The secret that `reference` leads to.

        Raises:
            ConfigError: it leads nowhere, or to nothing.
        """
        try:
            check_reference(reference)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        scheme, _, rest = reference.partition(":")
        found = _FINDERS[scheme](self, rest)
        if not found:
            raise ConfigError(f"{reference} is empty")
        return found

    def _env(self, name: str) -> str:
        try:
            return os.environ[name]
        except KeyError:
            raise ConfigError(
                f"env:{name} is not set for the engine; export {name} where the engine is started, or use file:"
            ) from None

    def _file(self, name: str) -> str:
        path = Path(name).expanduser()
        try:
            mode = path.stat().st_mode
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"file:{name} cannot be read: {error}") from None
        if mode & (stat.S_IRWXG | stat.S_IRWXO) and name not in self._warned:
            self._warned.add(name)
            self._warn(f"others may read file:{name} (mode {stat.S_IMODE(mode):04o}); chmod 600 {name}")
        return text.partition("\n")[0].strip()

    def _keyring(self, name: str) -> str:
        try:
            keyring = importlib.import_module("keyring")
        except ImportError:
            raise ConfigError(f"keyring:{name} needs a package that is not here: install switchgear[keyring]") from None
        service, _, user = name.partition("/")
        try:
            return str(keyring.get_password(service, user) or "")
        except Exception as error:  # noqa: BLE001  a keyring's backends raise what they like
            raise ConfigError(f"keyring:{name} cannot be read: {error}") from None

    def _command(self, line: str) -> str:
        words = shlex.split(line)
        where = f"command:{words[0]}"
        try:
            done = subprocess.run(  # noqa: S603  an argument list from the operator's own config, without a shell
                words, stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigError(f"{where} cannot be run: {error}") from None
        if done.returncode:
            raise ConfigError(f"{where} ended with exit code {done.returncode}; try it in a terminal")
        return done.stdout.decode(errors="replace").partition("\n")[0].strip()


_FINDERS: dict[str, Callable[[Secrets, str], str]] = {
    "env": Secrets._env,
    "file": Secrets._file,
    "keyring": Secrets._keyring,
    "command": Secrets._command,
}
