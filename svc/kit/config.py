"""Configuration: frozen dataclasses, read once from flags and the environment, every mistake reported together.

    @dataclass(frozen=True, slots=True)
    class ChannelConfig:
        instance: InstanceConfig
        tail_events_max: int = setting("PARLEY_CHANNEL_TAIL_EVENTS", default=256, minimum=1, help="events kept")

    config = load(ChannelConfig, os.environ, sys.argv[1:])

A setting's flag is its variable in lower case without "PARLEY_": `--channel-tail-events 512`. Flags win over variables.
"""

from __future__ import annotations

import dataclasses
import sys
import types
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

C = TypeVar("C")
_REQUIRED = object()
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class ConfigError(Exception):
    """One or more settings are wrong; `problems` has a sentence for each."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def setting(
    variable: str,
    *,
    help: str,  # noqa: A002 - the word that every reader of a command line knows
    default: Any = _REQUIRED,
    minimum: float | None = None,
    maximum: float | None = None,
    secret: bool = False,
) -> Any:
    """Declare a field read from environment variable `variable`; without `default` it must be given.

    Numbers are checked against `minimum` and `maximum` (inclusive). A `secret` is never printed.
    """
    meta = {"variable": variable, "help": help, "minimum": minimum, "maximum": maximum, "secret": secret}
    if default is _REQUIRED:
        return dataclasses.field(metadata=meta)
    return dataclasses.field(default=default, metadata=meta)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class InstanceConfig:
    """What every instance of every tier needs to know of itself and of the installation."""

    name: str = setting("PARLEY_INSTANCE_NAME", default="", help="readable part of the instance id; default: the tier")
    zone: str = setting("PARLEY_ZONE", default="az1", help="zone (cell) of this instance")
    bind_host: str = setting("PARLEY_BIND_HOST", default="127.0.0.1", help="address to listen on")
    advertise_host: str = setting(
        "PARLEY_ADVERTISE_HOST", default="", help="address that others reach this instance by; default: the bind host"
    )
    grpc_port: int = setting(
        "PARLEY_GRPC_PORT", default=0, minimum=0, maximum=65535, help="gRPC port; 0 takes a free one"
    )
    advertise_grpc_port: int = setting(
        "PARLEY_ADVERTISE_GRPC_PORT",
        default=0,
        minimum=0,
        maximum=65535,
        help="gRPC port that others reach this instance by, when something forwards it; 0: the one listened on",
    )
    metrics_port: int = setting(
        "PARLEY_METRICS_PORT", default=0, minimum=0, maximum=65535, help="Prometheus port; 0 takes a free one"
    )
    consul_addr: str = setting("PARLEY_CONSUL_ADDR", default="127.0.0.1:8500", help="Consul's HTTP address, host:port")
    secret: str = setting("PARLEY_SECRET", secret=True, help="secret of the installation, 16 characters or more")
    tls_cert: str = setting(
        "PARLEY_TLS_CERT",
        default="",
        help="certificate with its chain (PEM) for what clients connect to: HTTP of webapps, WebSockets of gateways",
    )
    tls_key: str = setting("PARLEY_TLS_KEY", default="", help="private key (PEM) of the certificate")
    log_level: str = setting("PARLEY_LOG_LEVEL", default="info", help="debug, info, warning or error")
    otlp_endpoint: str = setting(
        "PARLEY_OTLP_ENDPOINT", default="", help="OTLP/gRPC collector for traces, http://host:port; empty: none"
    )
    trace_ratio: float = setting(
        "PARLEY_TRACE_RATIO", default=0.01, minimum=0, maximum=1, help="share of requests traced, 0 to 1"
    )

    @property
    def reachable_host(self) -> str:
        """The host to register: what is advertised, else what is listened on."""
        return self.advertise_host or self.bind_host


def load(config_class: type[C], environ: Mapping[str, str], argv: Sequence[str] = ()) -> C:
    """Return a `config_class` read from `argv` and `environ`.

    Raises ConfigError naming every missing, malformed, out-of-range or unknown setting. `--help` prints them all and
    raises SystemExit(0). Unknown environment variables are left alone: they belong to other programs.
    """
    specs = _specs(config_class)
    if "--help" in argv or "-h" in argv:
        sys.stdout.write(describe(config_class))
        raise SystemExit(0)
    problems: list[str] = []
    flags = _parse_flags(argv, {_flag(spec): spec for spec in specs}, problems)
    values: dict[str, Any] = {}
    for spec in specs:
        variable = spec.metadata["variable"]
        raw = flags.get(variable, environ.get(variable))
        if raw is not None:
            _convert(spec, raw, values, problems)
        elif spec.default is dataclasses.MISSING:
            problems.append(f"{variable} is not set: {spec.metadata['help']}")
    if problems:
        raise ConfigError(problems)
    return _build(config_class, values)


def describe(config_class: type[Any]) -> str:
    """Return the table of settings that `--help` prints."""
    lines = [
        f"{(config_class.__doc__ or config_class.__name__).strip()}",
        "",
        "Settings (flag, or environment variable):",
    ]
    for spec in _specs(config_class):
        default = "required" if spec.default is dataclasses.MISSING else f"default {spec.default!r}"
        lines.append(f"  {_flag(spec)}, {spec.metadata['variable']}")
        lines.append(f"      {spec.metadata['help']} ({default})")
    return "\n".join(lines) + "\n"


@dataclasses.dataclass(frozen=True, slots=True)
class _Spec:
    """One leaf setting, with its resolved type."""

    type: Any
    default: Any
    metadata: Mapping[str, Any]


def _specs(config_class: type[Any]) -> list[_Spec]:
    found: list[_Spec] = []
    hints = get_type_hints(config_class)
    for field in dataclasses.fields(config_class):
        kind = hints[field.name]
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            found.extend(_specs(kind))
        else:
            found.append(_Spec(kind, field.default, field.metadata))
    return found


def _build(config_class: type[C], values: Mapping[str, Any]) -> C:
    hints = get_type_hints(config_class)
    arguments: dict[str, Any] = {}
    for field in dataclasses.fields(config_class):  # type: ignore[arg-type]
        kind = hints[field.name]
        if dataclasses.is_dataclass(kind) and isinstance(kind, type):
            arguments[field.name] = _build(kind, values)
        elif field.metadata["variable"] in values:
            arguments[field.name] = values[field.metadata["variable"]]
    return config_class(**arguments)


def _flag(spec: _Spec) -> str:
    name: str = spec.metadata["variable"]
    return "--" + name.removeprefix("PARLEY_").lower().replace("_", "-")


def _parse_flags(argv: Sequence[str], known: Mapping[str, _Spec], problems: list[str]) -> dict[str, str]:
    flags: dict[str, str] = {}
    rest = list(argv)
    while rest:
        flag, has_value, value = rest.pop(0).partition("=")
        spec = known.get(flag)
        if spec is None:
            problems.append(f"{flag} is not a setting; --help lists them")
            if not has_value and rest and not rest[0].startswith("--"):
                rest.pop(0)
        elif has_value or rest:
            flags[spec.metadata["variable"]] = value if has_value else rest.pop(0)
        else:
            problems.append(f"{flag} needs a value")
    return flags


def _convert(spec: _Spec, raw: str, values: dict[str, Any], problems: list[str]) -> None:
    variable = spec.metadata["variable"]
    shown = "(hidden)" if spec.metadata["secret"] else repr(raw)
    try:
        value = _parse(spec.type, raw)
    except ValueError as error:
        problems.append(f"{variable} is {shown}: {error}")
        return
    low, high = spec.metadata["minimum"], spec.metadata["maximum"]
    if low is not None and value is not None and value < low:
        problems.append(f"{variable} is {shown}: at least {low} is allowed")
    elif high is not None and value is not None and value > high:
        problems.append(f"{variable} is {shown}: at most {high} is allowed")
    else:
        values[variable] = value


def _parse(kind: Any, raw: str) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        inner = [option for option in get_args(kind) if option is not type(None)]
        return None if raw == "" else _parse(inner[0], raw)
    if get_origin(kind) is tuple:
        return tuple(_parse(get_args(kind)[0], part.strip()) for part in raw.split(",") if part.strip())
    if kind is bool:
        return _parse_bool(raw)
    if hasattr(kind, "parse_setting"):
        return kind.parse_setting(raw)
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(raw)
        except ValueError:
            raise ValueError(f"one of {', '.join(str(option.value) for option in kind)} is allowed") from None
    if kind in (int, float):
        try:
            return kind(raw)
        except ValueError:
            raise ValueError("a whole number is needed" if kind is int else "a number is needed") from None
    return Path(raw) if kind is Path else raw


def _parse_bool(raw: str) -> bool:
    if raw.lower() in _TRUE:
        return True
    if raw.lower() in _FALSE:
        return False
    raise ValueError("true or false is allowed")
