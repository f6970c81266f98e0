"""Settings of files."""

from __future__ import annotations

from dataclasses import dataclass

from svc.kit.config import setting

__all__ = ["CHUNK_BYTES", "PENDING_S", "FileConfig"]

CHUNK_BYTES = 256 * 1024
"""Read or written at once: what a transfer holds in memory, and long enough that a thread's turn is worth it."""
PENDING_S = 7_200
"""How long an upload waits to be completed. Tickets and the longest upload are over long before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileConfig:
    """What files may take."""

    directory: str = setting(
        "PARLEY_WEBAPP_FILES_DIR",
        default="",
        help="folder of the files, shared by all webapps of the installation; empty: no uploads",
    )
    file_bytes_max: int = setting(
        "PARLEY_WEBAPP_FILE_BYTES_MAX", default=64 << 20, minimum=1, help="largest file, in bytes"
    )
    workspace_bytes_max: int = setting(
        "PARLEY_WEBAPP_FILES_WORKSPACE_BYTES_MAX", default=10 << 30, minimum=1, help="bytes of a workspace's files"
    )
    free_bytes_min: int = setting(
        "PARLEY_WEBAPP_FILES_FREE_BYTES_MIN",
        default=256 << 20,
        minimum=0,
        help="bytes of the disk that files leave free: databases may share it",
    )
    uploads_max: int = setting(
        "PARLEY_WEBAPP_UPLOADS_MAX", default=32, minimum=1, help="uploads at once; more are told to come back"
    )
    downloads_max: int = setting(
        "PARLEY_WEBAPP_DOWNLOADS_MAX", default=128, minimum=1, help="downloads at once; more are told to come back"
    )
    upload_s: float = setting(
        "PARLEY_WEBAPP_UPLOAD_S", default=600.0, minimum=1, maximum=3_600, help="longest that one upload may take"
    )
    idle_s: float = setting(
        "PARLEY_WEBAPP_FILES_IDLE_S", default=30.0, minimum=0.1, help="seconds that a transfer may stand still"
    )
    sweep_s: float = setting(
        "PARLEY_WEBAPP_FILES_SWEEP_S",
        default=60.0,
        minimum=0.1,
        help="seconds from one sweep of what is left to the next",
    )
