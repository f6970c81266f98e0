"""The owner's ends of Socket Mode connections: what is to be said to each waits here until its gateway takes it."""

from __future__ import annotations

from dataclasses import dataclass, field

from parley.webapp.v1 import webapp_service_pb2 as pb
from svc.kit.errors import ParleyError
from svc.kit.mailbox import Mailbox, MailboxClosed

__all__ = ["CONNECTIONS_MAX", "Line"]

CONNECTIONS_MAX = 10
"""Of one app; Slack's."""
FRAMES_MAX = 512
BYTES_MAX = 16 * 1024 * 1024
"""What may wait for one gateway: one that takes nothing for so long is as good as gone."""


@dataclass(slots=True, eq=False)
class Line:
    """One connection of an app."""

    connection_id: str
    token_hash_prefix: bytes
    ending: ParleyError | None = None
    """How the stream ends once what waits was said; None: well."""
    frames: Mailbox[pb.AppStreamResponse] = field(default_factory=lambda: Mailbox(FRAMES_MAX, BYTES_MAX))

    def say(self, frame: pb.AppStreamResponse) -> bool:
        """Have a frame sent; False when the line has ended or takes no more."""
        try:
            return self.frames.put(frame, frame.ByteSize())
        except MailboxClosed:
            return False

    def send(self, envelope_id: str, frame: bytes) -> bool:
        """Have an envelope sent; as `say`."""
        return self.say(pb.AppStreamResponse(envelope=pb.AppEnvelope(envelope_id=envelope_id, frame=frame)))

    def disconnect(self, reason: pb.DisconnectReason.ValueType) -> None:
        """Have the connection closed, for good or until its app is there again."""
        self.say(pb.AppStreamResponse(disconnect=pb.AppDisconnect(reason=reason)))
        self.frames.close()

    def end(self, ending: ParleyError | None = None) -> None:
        """End the stream; the connection stays, and its gateway looks for the owner again."""
        self.ending = ending
        self.frames.close()
