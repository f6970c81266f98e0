"""Debian and Ubuntu packages: libraries and MariaDB's programs installed, Consul and memcached unpacked for us alone.

No package with a system service is ever installed: MariaDB's `-core` packages hold its programs and nothing else,
and Consul and memcached, whose packages start daemons, are taken apart into the project's own folder.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ops.setup import apt_sources
from ops.setup.binaries import PRIVATE_BIN
from ops.setup.console import CommandFailed, Console, SetupError
from ops.setup.platforms import install_commands, is_debian, root_prefix

# The last Debian release that carries Consul (1.8.7, with its UI).
CONSUL_SUITE = "bullseye"

# Fewer than apt's defaults of patience: a person is waiting, and re-running is cheap.
PATIENCE = ("-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=30", "-o", "Acquire::https::Timeout=30")


class Apt:
    """What can be had from apt on this machine. Nothing is looked up before it is needed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._updated = False

    def install(self, packages: Sequence[str], reason: str, by_hand: Sequence[str]) -> None:
        """Install packages into the system, without what they recommend.

        Raises SetupError with `reason` and the commands `by_hand` where this cannot be done.
        """
        if not is_debian():
            raise SetupError(f"{reason} Packages can be installed from here on Debian and Ubuntu only.", by_hand)
        prefix = root_prefix()
        if prefix is None:
            raise SetupError(f"{reason} Installing it needs root, and sudo is not available.", by_hand)
        # sudo drops the environment, so the answer "ask nothing" goes through env.
        apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *PATIENCE]
        try:
            if not self._updated:
                self._console.run([*apt, "update"])
                self._updated = True
            names = [self._resolve(name) for name in packages]
            self._console.run([*apt, "install", "-y", "--no-install-recommends", *names])
        except CommandFailed as failed:
            raise SetupError(f"{reason} apt-get failed:\n{failed.output}", by_hand) from failed

    def _resolve(self, name: str) -> str:
        """Return the package of that name, or its newest versioned one (older releases: mariadb-server-core-10.6)."""
        pattern = rf"^{re.escape(name)}(-[0-9.]+)?$"
        search = subprocess.run(["apt-cache", "search", "--names-only", pattern], capture_output=True, text=True)
        found = [line.split(" ", 1)[0] for line in search.stdout.splitlines()]
        if not found or name in found:
            return name
        return max(found, key=lambda each: [int(part) for part in re.findall(r"\d+", each)])

    def unpack_consul(self) -> None:
        """Put Debian's `consul` into the project: from the configured release, else from the last one that has it."""
        by_hand = install_commands(["Consul"])
        with self._workshop() as shop:
            places = ["", *(each.with_suite(CONSUL_SUITE) for each in self._mirrors())]
            failures = []
            for place in places:
                try:
                    self._fetch(shop, "consul", place)
                except CommandFailed as failed:
                    failures.append(failed.output)
                    continue
                self._adopt(shop / "tree" / "usr" / "bin" / "consul")
                return
        raise SetupError(
            f"Consul is missing; no package source here has it (Debian {CONSUL_SUITE} does):\n{failures[-1]}",
            by_hand,
        )

    def unpack_memcached(self) -> None:
        """Put Debian's `memcached` into the project; its libraries are installed where they are missing."""
        by_hand = install_commands(["memcached"])
        with self._workshop() as shop:
            try:
                package = self._fetch(shop, "memcached", "")
            except CommandFailed as failed:
                raise SetupError(f"memcached is missing, and apt-get failed:\n{failed.output}", by_hand) from failed
            program = shop / "tree" / "usr" / "bin" / "memcached"
            linked = subprocess.run(["ldd", str(program)], capture_output=True, text=True)
            if "not found" in linked.stdout:
                self.install(_libraries(package), "memcached needs libraries.", by_hand)
            self._adopt(program)

    def unpack(self, packages: Sequence[str], into: Path) -> list[str]:
        """Put the files of packages into a folder, beside what is there; return the names of what they depend on.

        Nothing is installed, and what they depend on is not fetched. Raises SetupError.
        """
        with self._workshop() as shop:
            try:
                files = self._fetch_all(shop, packages, "")
            except CommandFailed as failed:
                raise SetupError(f"apt-get could not fetch {', '.join(packages)}:\n{failed.output}") from failed
            shutil.copytree(shop / "tree", into, symlinks=True, dirs_exist_ok=True)
            return [name for file in files for name in _dependencies(file)]

    def _mirrors(self) -> list[apt_sources.Source]:
        codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
        return apt_sources.mirrors(apt_sources.read_all(), codename)

    @contextmanager
    def _workshop(self) -> Iterator[Path]:
        """Give a private folder for lists, downloads and unpacking; nothing in it survives."""
        if not is_debian():
            raise SetupError("Packages can be taken apart here on Debian and Ubuntu only.")
        with tempfile.TemporaryDirectory(prefix="parley-setup-") as folder:
            yield Path(folder)

    def _fetch(self, shop: Path, package: str, place: str) -> Path:
        """Download and unpack one package, as `_fetch_all` does; return its file."""
        return self._fetch_all(shop, [package], place)[0]

    def _fetch_all(self, shop: Path, packages: Sequence[str], place: str) -> list[Path]:
        """Download packages with lists of our own and unpack them into `shop/tree`; return their files.

        `place` is a deb822 stanza, or "" for the sources of the machine. Root is not needed and the system's own
        lists and cache stay as they are. Raises CommandFailed.
        """
        lists = Path(tempfile.mkdtemp(dir=shop))
        (lists / "partial").mkdir()
        (shop / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        options = [*PATIENCE, "-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={shop / 'cache'}"]
        options += ["-o", "APT::Sandbox::User=", "-o", "Acquire::Languages=none"]
        if place:
            sources = Path(tempfile.mkdtemp(dir=shop))
            (sources / "parley.sources").write_text(place)
            options += ["-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={sources}"]
        update = self._console.run(["apt-get", *options, "update"], cwd=shop)
        try:
            self._console.run(["apt-get", *options, "download", *packages], cwd=shop)
        except CommandFailed as failed:
            # An update that reached nobody only warns; its warnings are the reason.
            warnings = [line for line in update if line.startswith(("W:", "E:"))]
            raise CommandFailed(["apt-get"], 100, [*warnings, *failed.tail]) from failed
        files = [next(shop.glob(f"{package}_*.deb")) for package in packages]
        for file in files:
            self._console.run(["dpkg", "-x", str(file), str(shop / "tree")], cwd=shop)
        return files

    def _adopt(self, program: Path) -> None:
        """Move a program into the project's folder in one step, so that a cut-short run leaves no half of it."""
        PRIVATE_BIN.mkdir(parents=True, exist_ok=True)
        half = PRIVATE_BIN / f".{program.name}.new"
        shutil.copy2(program, half)
        half.rename(PRIVATE_BIN / program.name)


def _dependencies(package: Path) -> list[str]:
    """Return the names of the packages that a .deb depends on; of alternatives, the first."""
    depends = subprocess.run(["dpkg-deb", "-f", str(package), "Depends"], capture_output=True, text=True, check=True)
    return [re.split(r"[\s(|:]", part.strip(), maxsplit=1)[0] for part in depends.stdout.split(",") if part.strip()]


def _libraries(package: Path) -> list[str]:
    """Return the library packages that a .deb depends on; the rest of its needs are for running it as a service."""
    return [name for name in _dependencies(package) if name.startswith("lib")]
