"""Write a commented config: from flags, or from questions when somebody sits at the terminal."""

import argparse
import os
import re
import sys
from pathlib import Path

from console.cli.exits import Exit
from console.cli.output import note, say
from console.cli.template import Answers, render
from console.domain.errors import ConfigError
from console.places import config_path

_SECRET = re.compile(r"(env|file|keyring|command):.+")
_REDIS = re.compile(r"rediss?://[^\s@]+")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--path", default="", help="where to; the place where switchgear looks for it when left out")
    parser.add_argument("--name", default="", help="the environment's name (prod)")
    parser.add_argument("--url", action="append", default=[], help="a replica of the LiteLLM proxy; repeat for more")
    parser.add_argument("--key", default="", help="where its key is: env:NAME, file:/path, keyring:…, command:…")
    parser.add_argument("--redis", default="", help="its Redis URL; with a password written like --key")
    parser.add_argument("--operator", action="append", default=[], help="who may ask for operate: NAME, %%GROUP")
    parser.add_argument("--force", action="store_true", help="replace an existing file")


def run(options: argparse.Namespace) -> int:
    """Write the file, read it back, and say what to do next.

    Raises:
        ConfigError: it exists already, an answer is none, or the place cannot be written.
    """
    path = Path(options.path).absolute() if options.path else config_path()
    if path.exists() and not options.force:
        raise ConfigError(f"{path} exists already; --force replaces it, --path writes another one")
    answers = _answers(options)
    _write(path, render(answers))
    from console.config.reader import load

    load(path)
    say(f"wrote {path}")
    if answers.key.startswith("env:"):
        name = answers.key.removeprefix("env:")
        if name not in os.environ:
            note(f"{name} is not set here; export it before the engine is started")
    say(f"next: switchgear check {answers.name}")
    return Exit.OK


def _answers(options: argparse.Namespace) -> Answers:
    asking = sys.stdin.isatty() and sys.stdout.isatty()
    name = options.name or _ask(asking, "name of the environment", "prod")
    urls = options.url or _ask(asking, "URLs of the LiteLLM replicas, by spaces", "http://127.0.0.1:4000").split()
    key = options.key or _ask(
        asking, "where its key is (env:NAME, file:/path, keyring:service/name)", "env:LITELLM_KEY"
    )
    redis = options.redis or _ask(asking, "its Redis for cooldowns, redis://host:6379/0 (empty: none)", "")
    if not _SECRET.fullmatch(key) or (redis and not (_SECRET.fullmatch(redis) or _REDIS.fullmatch(redis))):
        raise ConfigError("a secret is not written into the config; say where it is: env:NAME, file:/path, …")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name):
        raise ConfigError(f"{name!r} is no name of an environment: small letters, digits, - and _")
    for url in urls:
        if not re.fullmatch(r"https?://[^\s@]+", url):
            raise ConfigError(f"{url!r} is no URL of a replica: http://host:port, without credentials")
    return Answers(name=name, urls=tuple(urls), key=key, redis=redis, operators=tuple(options.operator))


def _ask(asking: bool, question: str, default: str) -> str:
    if not asking:
        return default
    shown = f" [{default}]" if default else ""
    return input(f"{question}{shown}: ").strip() or default


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".new")
        beside.write_text(text, encoding="utf-8")
        beside.chmod(0o600)
        beside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
