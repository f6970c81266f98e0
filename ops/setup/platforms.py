"""Which package manager this machine has, who may use it, and the commands that would install what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PackageManager:
    """A package manager: its program, how it installs, and what it calls the things that we need."""

    program: str
    install: str
    packages: dict[str, str]
    needs_root: bool = True


# "" where a package manager does not carry it: then the maker's own instructions are the way.
KNOWN = (
    PackageManager(
        "apt-get",
        "apt-get install -y --no-install-recommends",
        {
            "Python": "python3",
            "python3-venv": "python3-venv",
            "MariaDB": "mariadb-server-core mariadb-client-core",
            "memcached": "memcached",
            "Chromium": "chromium fonts-noto-color-emoji",
            "Consul": "",  # Debian's is in bullseye alone; bootstrap knows how to take it from there
        },
    ),
    PackageManager(
        "dnf",
        "dnf install -y",
        {
            "Python": "python3.11",
            "MariaDB": "mariadb-server",
            "memcached": "memcached",
            "Chromium": "chromium",
            "Consul": "",
        },
    ),
    PackageManager(
        "zypper",
        "zypper install -y",
        {
            "Python": "python311",
            "MariaDB": "mariadb",
            "memcached": "memcached",
            "Chromium": "chromium",
            "Consul": "consul",
        },
    ),
    PackageManager(
        "pacman",
        "pacman -S --needed",
        {
            "Python": "python",
            "MariaDB": "mariadb",
            "memcached": "memcached",
            "Chromium": "chromium",
            "Consul": "consul",
        },
    ),
    PackageManager(
        "apk",
        "apk add",
        {
            "Python": "python3",
            "MariaDB": "mariadb",
            "memcached": "memcached",
            "Chromium": "chromium",
            "Consul": "consul",
        },
    ),
    PackageManager(
        "brew",
        "brew install",
        {
            "Python": "python",
            "MariaDB": "mariadb",
            "memcached": "memcached",
            "Chromium": "chromium",
            "Consul": "consul",
        },
        needs_root=False,
    ),
)

MAKER_HINT = {
    "Chromium": "# Chromium, or Google Chrome: put it on PATH as chromium or google-chrome",
    "Consul": "# Consul, any release from 1.8 on: follow 'Install Consul' in HashiCorp's documentation",
    "MariaDB": "# MariaDB: follow 'Installing MariaDB' in its knowledge base; mariadbd must end up on PATH",
    "memcached": "# memcached: build it from its own release, and put it on PATH",
    "Python": "# Python: install 3.11 or newer",
    "python3-venv": "# Python: install it with its venv and ensurepip modules",
}


def manager() -> PackageManager | None:
    """Return the machine's package manager; None when it has none that we know."""
    return next((known for known in KNOWN if shutil.which(known.program)), None)


def is_debian() -> bool:
    """Say whether packages can be installed from here by apt (Debian, Ubuntu and their kin)."""
    return shutil.which("apt-get") is not None and shutil.which("dpkg") is not None


def root_prefix() -> list[str] | None:
    """Return what to put before a command that needs root: nothing as root, sudo where it works; None when neither."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    if sys.stdin is not None and sys.stdin.isatty():
        return [sudo]  # it can ask for the password
    silent = subprocess.run([sudo, "-n", "true"], capture_output=True, check=False)
    return [sudo, "-n"] if silent.returncode == 0 else None


def install_commands(things: Sequence[str]) -> list[str]:
    """Return the commands that would install `things` on this machine, one line each."""
    known = manager()
    if known is None:
        return [MAKER_HINT[thing] for thing in things]
    sudo = "sudo " if known.needs_root and os.geteuid() != 0 else ""
    names = [known.packages[thing] for thing in things if known.packages.get(thing)]
    commands = [f"{sudo}apt-get update"] if known.program == "apt-get" and names else []
    if names:
        commands.append(f"{sudo}{known.install} {' '.join(names)}")
    return commands + [MAKER_HINT[thing] for thing in things if not known.packages.get(thing)]
