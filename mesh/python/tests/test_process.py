"""Settings and failpoints: what a process is told from outside."""

from pathlib import Path

import pytest

from weft_runtime.config import read_config
from weft_runtime.failpoint import arm_failpoints
from weft_runtime.settings_reader import ConfigError

NEEDED = {
    "PORT": "9007",
    "DATABASE_URL": "postgres://email:s3cret@127.0.0.1:5432/email",
    "NATS_URL": "nats://email:s3cret@127.0.0.1:4222",
    "WEFT_JWKS_URL": "https://127.0.0.1:9001/jwks",
    "WEFT_TOKEN_ISSUER": "issuer",
    "WEFT_TOKEN_AUDIENCE": "us",
}


def test_what_is_needed_is_enough() -> None:
    config = read_config(NEEDED)
    assert (config.port, config.host, config.mesh, config.direct_calls) == (9007, "127.0.0.1", "none", False)


@pytest.mark.parametrize("name", NEEDED)
def test_a_gap_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        read_config({key: value for key, value in NEEDED.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "s3cret"),
        ("DATABASE_URL", "mysql://s3cret"),
        ("WEFT_MESH", "s3cret"),
        ("WEFT_SHED_LATE_MS", "-1"),
    ],
)
def test_a_malformed_value_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as refused:
        read_config(NEEDED | {name: value})
    assert "s3cret" not in str(refused.value)


def test_what_is_for_development_does_not_start_in_production() -> None:
    with pytest.raises(ConfigError, match="WEFT_DIRECT_CALLS"):
        read_config(NEEDED | {"NODE_ENV": "production", "WEFT_DIRECT_CALLS": "allow"})


def test_a_process_dies_at_the_planned_pass_once(tmp_path: Path) -> None:
    deaths: list[str] = []
    env = {"WEFT_FAILPOINTS": str(tmp_path), "WEFT_SERVICE": "email"}
    (tmp_path / "email.plan").write_text("mail.send.after 2\n")
    mark = arm_failpoints(env, lambda: deaths.append("first life"))
    for name in ("mail.send.after", "mail.send.before", "mail.send.after"):
        mark(name)
    assert deaths == ["first life"]
    assert (tmp_path / "email.crashes").read_text() == "mail.send.after\n"
    assert (tmp_path / "email.passes").read_text().split() == [
        "mail.send.after",
        "mail.send.before",
        "mail.send.after",
    ]
    second = arm_failpoints(env, lambda: deaths.append("second life"))
    for _ in range(3):
        second("mail.send.after")
    assert deaths == ["first life"]


def test_failpoints_are_not_for_production() -> None:
    with pytest.raises(RuntimeError):
        arm_failpoints({"WEFT_FAILPOINTS": "/tmp", "NODE_ENV": "production"})
