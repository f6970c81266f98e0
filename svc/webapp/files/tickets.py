"""The right to upload one file: signed, so that no webapp has to remember it, and good for any of them."""

from __future__ import annotations

from dataclasses import dataclass

from svc.kit.clock import Clock
from svc.kit.tokens import Signer, TokenInvalid
from svc.webapp.files.storage import FileKey

__all__ = ["TICKET_S", "Upload", "UploadTickets"]

TICKET_S = 900.0
"""From the ticket to the upload's beginning. Clients upload at once; who has a slow line uploads files in turn."""

_KIND = "upload"


@dataclass(frozen=True, slots=True)
class Upload:
    """What a ticket allows: this user, this file, exactly so many bytes."""

    key: FileKey
    user_id: str
    size: int


class UploadTickets:
    """Signs and reads tickets. That one is good for one upload is the storage's doing: a name is taken once."""

    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._signer = signer
        self._clock = clock

    def sign(self, upload: Upload) -> str:
        """Return a ticket as part of a URL, valid for TICKET_S."""
        claims = {
            "team": upload.key.team_id,
            "file": upload.key.file_id,
            "user": upload.user_id,
            "size": upload.size,
        }
        return self._signer.sign(_KIND, claims, TICKET_S, self._clock.wall_us() / 1_000_000)

    def read(self, ticket: str) -> Upload:
        """Return what a ticket allows. Raises TokenInvalid, TokenExpired."""
        claims = self._signer.verify(_KIND, ticket, self._clock.wall_us() / 1_000_000)
        try:
            return Upload(FileKey(claims["team"], claims["file"]), str(claims["user"]), int(claims["size"]))
        except (KeyError, TypeError, ValueError) as error:
            raise TokenInvalid("not an upload's ticket") from error
