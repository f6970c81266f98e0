"""What a person is told to type where something cannot be installed for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops.setup.binaries import CONSUL, MARIADB, MEMCACHED, find_program, is_external, missing
from ops.setup.console import Console, SetupError, explain
from ops.setup.debian import Apt
from ops.setup.platforms import install_commands
from ops.setup.servers import ensure_servers


def put(folder: Path, *names: str) -> Path:
    """Make a folder with programs in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("apt-get", "apt-get install -y --no-install-recommends mariadb-server-core mariadb-client-core memcached"),
        ("dnf", "dnf install -y mariadb-server memcached"),
        ("brew", "brew install mariadb memcached"),
        ("pacman", "pacman -S --needed mariadb memcached"),
    ],
)
def test_each_package_manager_gets_its_own_command(
    manager: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of packages differ; a person must be able to paste the line."""
    monkeypatch.setenv("PATH", str(put(tmp_path / "bin", manager)))
    commands = install_commands(["MariaDB", "memcached"])
    assert any(line.removeprefix("sudo ") == command for line in commands)


def test_what_a_package_manager_lacks_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fedora has no Consul, and some machines have no package manager at all."""
    monkeypatch.setenv("PATH", str(put(tmp_path / "bin", "dnf")))
    assert install_commands(["Consul"])[0].startswith("# Consul")
    monkeypatch.setenv("PATH", str(put(tmp_path / "empty")))
    assert len(install_commands(["Consul", "MariaDB"])) == 2


def test_a_program_on_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own, newer server is the one to use."""
    own = put(tmp_path / "own", "memcached")
    assert find_program(("memcached",), str(own)) == own / "memcached"


def test_a_mysql_server_needs_none_of_mariadbs_helpers(tmp_path: Path) -> None:
    """MySQL makes its data folder by itself; MariaDB's mysqld is a link to mariadbd."""
    own = put(tmp_path / "own", "mariadbd")
    (own / "mysqld").symlink_to("mariadbd")
    oracle = put(tmp_path / "oracle", "mysqld")
    assert missing(MARIADB, str(oracle)) == [] or find_program(("mariadbd",), str(oracle)) != oracle / "mysqld"
    assert find_program(("mariadbd", "mysqld"), str(own)) == own / "mariadbd"


def test_external_servers_need_every_setting() -> None:
    """Two of three DSNs are a mistake, not an external database."""
    assert is_external(CONSUL, {"PARLEY_CONSUL_ADDR": "10.0.0.1:8500"})
    assert not is_external(MEMCACHED, {})
    assert not is_external(MARIADB, {"PARLEY_MYSQL_USER_DSN": "mysql://x", "PARLEY_MYSQL_CHANNEL_DSN": "mysql://x"})


def test_a_machine_without_apt_is_told_everything_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run names all that is missing, how to install it, and how to do without."""
    monkeypatch.setenv("PATH", str(put(tmp_path / "bin", "brew")))
    console = Console(tmp_path / "log")
    with pytest.raises(SetupError) as caught:
        ensure_servers(Apt(console), console, {}, lambda _: ["something"])
    text = explain(caught.value)
    assert "brew install consul mariadb memcached" in text
    assert "PARLEY_MYSQL_CHANNEL_DSN" in text
    assert "same command again" in text


def test_nothing_is_asked_of_a_machine_whose_servers_are_external(tmp_path: Path) -> None:
    """With all three configured elsewhere, a machine needs none of them."""
    names = (*CONSUL.external, *MARIADB.external, *MEMCACHED.external)
    console = Console(tmp_path / "log")
    ensure_servers(Apt(console), console, dict.fromkeys(names, "x"), lambda _: ["something"])
    assert not (tmp_path / "log").exists()


def test_a_user_without_sudo_is_told_what_root_has_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian without root: MariaDB is the one thing that needs it."""
    monkeypatch.setenv("PATH", str(put(tmp_path / "bin", "apt-get", "dpkg")))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    console = Console(tmp_path / "log")
    with pytest.raises(SetupError, match="sudo is not available") as caught:
        ensure_servers(Apt(console), console, {}, lambda server: ["mariadbd"] if server is MARIADB else [])
    assert caught.value.commands[-1].startswith("sudo apt-get install")
