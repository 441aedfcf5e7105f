"""Every error of a config at once, each with its file, its line, and what would be right."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from console.config.document import default_environment
from console.config.reader import demo, load, load_with_lines
from console.config.schema import SHIPPED, text
from console.config.secrets import SecretRef
from console.domain.errors import ConfigError

GOOD = """\
schemaVersion: 1
default: prod
environments:
  prod:
    operate_for: 1h30m
    sources:
      gateway:
        adapter: litellm
        interval: 2s
        timeout: 1500ms
        options:
          key: env:KEY
          replicas: [http://a, http://b]
  staging:
    sources: {gateway: {adapter: litellm}}
"""


def write(folder: Path, content: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(content)
    path.chmod(0o600)
    return path


def faults(folder: Path, content: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, content))
    return [line.removeprefix(str(folder) + "/") for line in str(caught.value).splitlines()]


def test_a_good_config_is_read_with_durations_in_words(tmp_path: Path) -> None:
    config = load(write(tmp_path, GOOD))
    prod = config.environments["prod"]
    assert prod.operate_for == 5400
    assert prod.sources["gateway"].timeout == 1.5
    assert prod.access == "read-only"
    assert default_environment(tmp_path / "config.yaml") == "prod"


def test_every_fault_is_said_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        """\
schemaVersion: 1
default: prd
environments:
  prod:
    acces: operate
    sources:
      gw:
        adapter: litellm
        interval: 5x
        options: {redis: "redis://:secret@h/0"}
    objectives:
      - {name: a, match: "*", target: 0.5}
  Bad!: {sources: {}}
""",
    )
    assert [line.split(": ")[0] for line in found] == [f"config.yaml:{n}" for n in (2, 5, 9, 10, 12, 13)]
    assert "did you mean prod?" in found[0]
    assert "environments.prod.acces: unknown key; did you mean access?" in found[1]
    assert "write 30s, 5m, 1h30m or 7d" in found[2]
    assert "this URL holds a password" in found[3]
    assert "secret" not in found[3].replace("secrets", "")
    assert "can never happen" in found[4]
    assert "small letters" in found[5]


def test_an_unknown_key_deep_inside_lists_the_keys_that_there_are(tmp_path: Path) -> None:
    found = faults(tmp_path, GOOD.replace("interval: 2s", "intervall: 2s"))
    assert found == [
        "config.yaml:9: environments.prod.sources.gateway.intervall: unknown key; did you mean interval?; "
        "the keys here are: adapter, interval, timeout, requests_per_minute, options"
    ]


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("a: 1\nb: [1,\n", 3, "expected"),
        ("a: 1\nb: c: d\n", 2, "mapping values"),
        ("a: 1\na: 2\n", 2, "duplicate key"),
        ("- 1\n", 1, "schemaVersion"),
        ("", 1, "schemaVersion"),
        ("schemaVersion: 2\nenvironments: {}\n", 1, "1"),
        ("schemaVersion: 1\n", 1, "missing"),
    ],
)
def test_what_is_no_config_is_named_by_its_line(tmp_path: Path, content: str, line: int, words: str) -> None:
    found = faults(tmp_path, content)
    assert found[0].startswith(f"config.yaml:{line}:")
    assert words in found[0]


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: " + b"[" * 20_000, "nested too deeply"),
        (LAUGHS.encode(), "written out"),
        (b"# " + b"x" * 1_100_000, "1,100,002 bytes"),
        (b"a: 1\nb: \xff\n", ":2: this is no text in UTF-8"),
        (GOOD.encode("utf-16"), "UTF-8"),
        (GOOD.replace("interval: 2s", "interval: .inf").encode(), ":9: environments.prod.sources.gateway.interval"),
        (GOOD.replace("default: prod", "default: qrod").encode(), "did you mean prod?; there are: prod, staging, demo"),
    ],
    ids=["deep", "expanding", "large", "no text", "UTF-16", "infinite", "unknown default"],
)
def test_what_would_choke_the_reader_is_refused_in_a_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = write(tmp_path, "")
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert words in str(caught.value)


def test_an_anchor_that_is_used_twice_is_fine(tmp_path: Path) -> None:
    shared = "schemaVersion: 1\nenvironments:\n  a: &it\n    sources: {g: {adapter: litellm}}\n  b: *it\n"
    assert sorted(load(write(tmp_path, shared)).environments) == ["a", "b"]


def test_a_file_that_everybody_may_write_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    path.chmod(0o666)
    with pytest.raises(ConfigError, match="chmod o-w"):
        load(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.yaml")


def test_a_timeout_not_below_its_interval_and_a_default_above_its_maximum_are_faults(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        GOOD.replace("timeout: 1500ms", "timeout: 2s").replace(
            "    operate_for: 1h30m", "    overrides: {default_ttl: 5h, max_ttl: 4h}"
        ),
    )
    assert any("the timeout (2 s) has to be less than the interval (2 s)" in line for line in found)
    assert any("longer than max_ttl" in line for line in found)


class _Options(BaseModel):
    model_config = ConfigDict(extra="forbid")
    key: SecretRef
    replicas: list[str]


def test_options_are_judged_by_the_adapters_own_model_with_their_lines(tmp_path: Path) -> None:
    plain = GOOD.replace("key: env:KEY", "kee: 1\n          key: sk-12345678")
    loaded = load_with_lines(write(tmp_path, plain))
    found = loaded.adapter_errors("prod", {"litellm": _Options})
    assert any(":12: " in line and "unknown key; did you mean key?" in line for line in found)
    secret = next(line for line in found if ":13: " in line)
    assert "a secret is not written here; write where it is: env:NAME" in secret
    assert "sk-12345678" not in secret
    assert loaded.adapter_errors("prod", {"litellm": None}) == []


def test_an_unknown_adapter_is_named_with_those_that_there_are(tmp_path: Path) -> None:
    loaded = load_with_lines(write(tmp_path, GOOD))
    (fault,) = loaded.adapter_errors("prod", {"litelm": _Options, "nats": None})
    assert "config.yaml:8:" in fault
    assert "did you mean litelm?; installed are: litelm, nats" in fault


def test_an_unknown_environment_lists_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"did you mean staging\?; there are: prod, staging, demo"):
        load_with_lines(write(tmp_path, GOOD)).environment("stagin")


def test_the_demo_is_built_in_and_its_name_is_taken(tmp_path: Path) -> None:
    plain = demo("demo")
    assert plain is not None
    assert plain.access == "operate"
    assert {name: source.options for name, source in plain.sources.items()} == {
        "gateway": {"world": "demo", "part": "gateway"},
        "jobs": {"world": "demo", "part": "queues"},
        "traces": {"world": "demo", "part": "traces"},
    }
    fast = demo("demo-provider-brownout-x10")
    assert fast is not None
    asked = {"world": "demo", "scenario": "provider-brownout", "speed": 10.0}
    assert all(source.options.items() >= asked.items() for source in fast.sources.values())
    assert demo("demonstration") is None
    assert demo("prod") is None
    found = faults(tmp_path, GOOD.replace("  staging:", "  demo:"))
    assert found == ["config.yaml:14: environments.demo: demo and demo-… are built in; choose another name"]


def test_without_a_default_the_only_environment_is_it_and_several_have_to_be_chosen(tmp_path: Path) -> None:
    assert default_environment(tmp_path / "config.yaml") == "demo"
    path = write(tmp_path, GOOD.replace("default: prod\n", ""))
    with pytest.raises(ConfigError, match="prod, staging, demo"):
        default_environment(path)
    write(tmp_path, GOOD.replace("default: prod\n", "").partition("  staging:")[0])
    assert default_environment(path) == "prod"


def test_the_shipped_schema_is_current() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == text(), "python -m console.config.schema"
