"""The config that `init` writes: every key that a new operator may want, with why."""

import json
from typing import NamedTuple


class Answers(NamedTuple):
    """What `init` was told."""

    name: str
    urls: tuple[str, ...]
    key: str
    """A secret reference."""
    redis: str = ""
    """A URL without a password, or a secret reference to one; empty for none."""
    operators: tuple[str, ...] = ()


def render(answers: Answers) -> str:
    """The whole file as YAML; every answer is quoted, so none of them can be anything but text."""
    replicas = "\n".join(f"            - {json.dumps(url)}" for url in answers.urls)
    redis = f"redis: {json.dumps(answers.redis)}" if answers.redis else "# redis: redis://127.0.0.1:6379/0"
    operators = ", ".join(json.dumps(name) for name in ("@owner", *answers.operators))
    return _TEMPLATE.format(
        name=answers.name, replicas=replicas, key=json.dumps(answers.key), redis=redis, operators=operators
    )


_TEMPLATE = """\
# Switchgear's config. `switchgear check` tries it; docs/operations.md lists every key.
# Durations are written 30s, 5m, 1h30m, 7d. A secret is never written here, only where it is:
# env:NAME, file:/path (mode 600), keyring:service/name, command:program argument …
schemaVersion: 1

# What `switchgear` opens without a name. The built-in `demo` needs no entry.
default: {name}

environments:
  {name}:
    # What an operator starts with. `operate` is asked for, with a reason, for a limited time.
    access: read-only
    operate_for: 30m

    # Accounts, %groups, @owner (the engine's own account), * (whoever can reach the socket).
    readers: ["@owner"]
    operators: [{operators}]
    # A Unix group whose members may reach the socket, for an engine under its own account:
    # socket_group: switchgear

    sources:
      gateway:
        adapter: litellm
        interval: 5s
        timeout: 4s
        # The most that looking may cost the gateway; the interval grows when it would be more.
        # requests_per_minute: 600
        options:
          # Every replica: an action is done when all of them show it.
          replicas:
{replicas}
          key: {key}
          # Where the proxy has Redis: shows cooldowns with cause and time left, and trips without a database.
          {redis}

    # Objects that need more than a yes. Globs over references; rules: type-name, never.
    protect: []
    # - match: "gateway:route/*"
    #   rule: type-name
    #   why: every application uses it

    # Error budgets; alerts follow the SRE workbook's windows.
    objectives: []
    # - name: chat
    #   match: "gateway:route/gpt-*"
    #   target: 0.99

    overrides:
      default_ttl: 30m
      max_ttl: 4h
      # A target must be able to carry this many times the demand that is shifted to it.
      headroom: 1.3

    # An engine that was not asked to stay ends after this long with nobody attached and nothing pending.
    idle_exit: 60s
"""
