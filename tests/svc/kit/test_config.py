"""Configuration is read once, from flags and variables, and all mistakes are told together."""

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest

from svc.kit.config import ConfigError, InstanceConfig, load, setting

SECRET = {"PARLEY_SECRET": "0123456789abcdef"}


class Mode(Enum):
    FAST = "fast"
    SAFE = "safe"


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleConfig:
    """A sample tier."""

    instance: InstanceConfig
    port: int = setting("PARLEY_SAMPLE_PORT", default=80, minimum=1, maximum=65535, help="port")
    mode: Mode = setting("PARLEY_SAMPLE_MODE", default=Mode.SAFE, help="mode")
    folder: Path | None = setting("PARLEY_SAMPLE_FOLDER", default=None, help="folder")
    tags: tuple[str, ...] = setting("PARLEY_SAMPLE_TAGS", default=(), help="tags")
    loud: bool = setting("PARLEY_SAMPLE_LOUD", default=False, help="loud")


def test_values_are_converted_to_the_types_of_their_fields() -> None:
    """Each supported type comes out typed."""
    config = load(
        SampleConfig,
        {
            **SECRET,
            "PARLEY_SAMPLE_PORT": "81",
            "PARLEY_SAMPLE_MODE": "fast",
            "PARLEY_SAMPLE_FOLDER": "x/y",
            "PARLEY_SAMPLE_TAGS": "a, b",
            "PARLEY_SAMPLE_LOUD": "yes",
        },
    )
    assert (config.port, config.mode, config.folder) == (81, Mode.FAST, Path("x/y"))
    assert (config.tags, config.loud, config.instance.zone) == (("a", "b"), True, "az1")


def test_a_flag_wins_over_a_variable() -> None:
    """What is typed last and nearest counts."""
    config = load(SampleConfig, {**SECRET, "PARLEY_SAMPLE_PORT": "81"}, ["--sample-port", "82", "--zone=az9"])
    assert (config.port, config.instance.zone) == (82, "az9")


def test_all_mistakes_are_told_together_and_each_says_what_is_allowed() -> None:
    """One run shows everything that has to be mended."""
    wrong = {
        "PARLEY_SAMPLE_PORT": "70000",
        "PARLEY_SAMPLE_MODE": "slow",
        "PARLEY_SAMPLE_LOUD": "maybe",
        "PARLEY_GRPC_PORT": "x",
    }
    with pytest.raises(ConfigError) as caught:
        load(SampleConfig, wrong, ["--nonsense", "1", "--zone"])
    text = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 7
    for part in ("at most 65535", "fast, safe", "true or false", "whole number", "PARLEY_SECRET is not set"):
        assert part in text
    assert "--nonsense is not a setting" in text
    assert "--zone needs a value" in text


def test_a_secret_is_never_repeated_in_a_message() -> None:
    """Logs are read by more people than configuration."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Hidden:
        """Hidden."""

        pin: int = setting("PARLEY_PIN", help="pin", secret=True)

    with pytest.raises(ConfigError) as caught:
        load(Hidden, {"PARLEY_PIN": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_help_lists_every_setting_and_exits_zero(capsys: pytest.CaptureFixture[str]) -> None:
    """--help on every tier is made from the declarations alone."""
    with pytest.raises(SystemExit) as caught:
        load(SampleConfig, {}, ["--help"])
    out = capsys.readouterr().out
    assert caught.value.code == 0
    for expected in ("A sample tier.", "--sample-port", "PARLEY_ZONE", "(required)"):
        assert expected in out
