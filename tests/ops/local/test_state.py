"""What a mesh leaves in its folder for other commands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ops.local import state
from ops.local.errors import AlreadyRunningError

STATE = state.MeshState(
    pid=os.getpid(),
    started=1.5,
    consul_addr="127.0.0.1:8500",
    web_urls={"webapp-az1-1": "http://127.0.0.1:8080"},
    ws_urls={},
    memcached_addrs=["127.0.0.1:11211"],
    dsns={},
    children={"consul": 12},
)


def test_a_saved_state_is_read_back_while_its_mesh_lives(tmp_path: Path) -> None:
    """Other commands find the mesh by its folder."""
    with state.lock(tmp_path):
        state.save(tmp_path, STATE)
        assert state.load(tmp_path) == STATE
        assert STATE.web_url == "http://127.0.0.1:8080"
    assert state.load(tmp_path) is None


def test_the_state_is_its_owners_alone(tmp_path: Path) -> None:
    """It holds the database's password."""
    state.save(tmp_path, STATE)
    assert (tmp_path / "mesh.json").stat().st_mode & 0o077 == 0


def test_a_broken_state_is_no_state(tmp_path: Path) -> None:
    """A file of another version, or half of one, is as good as none."""
    with state.lock(tmp_path):
        for text in ("", "{", '{"pid": 1}', "[]"):
            (tmp_path / "mesh.json").write_text(text)
            assert state.load(tmp_path) is None


def test_a_folder_has_one_mesh_at_a_time(tmp_path: Path) -> None:
    """The second is told who the first is, and how to stop it."""
    with state.lock(tmp_path), pytest.raises(AlreadyRunningError) as caught:
        state.lock(tmp_path)
    assert caught.value.pid == os.getpid()
    assert "parley down" in caught.value.hint
    state.lock(tmp_path).close()


def test_the_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    """Tokens and tickets stay good over a restart."""
    secret = state.installation_secret(tmp_path)
    assert state.installation_secret(tmp_path) == secret
    assert len(secret) == 64
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def test_a_secret_that_was_never_finished_is_made_again(tmp_path: Path) -> None:
    """A first run can die between creating the file and writing it."""
    (tmp_path / "secret").touch()
    assert len(state.installation_secret(tmp_path)) == 64


def test_passwords_follow_from_the_secret_and_the_purpose() -> None:
    """Nothing more to keep than the one secret."""
    assert state.derive_password("s", "mariadb") == state.derive_password("s", "mariadb")
    assert state.derive_password("s", "mariadb") != state.derive_password("s", "other")
    assert state.derive_password("s", "mariadb") != state.derive_password("t", "mariadb")
