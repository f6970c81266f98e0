"""What an app says when a person asked it something: to that person alone, or to the conversation where it was asked.

It may say it there without being in the conversation: somebody who is has called it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from parley.event.v1 import event_pb2
from svc.kit.ids import ts_from_us, us_from_ts
from svc.webapp.commit.effects import Writes
from svc.webapp.commit.log import Draft, Json, Write
from svc.webapp.domain.apps.model import App
from svc.webapp.domain.apps.passes import ResponsePass
from svc.webapp.domain.messages.editing import Edit
from svc.webapp.domain.messages.edits import Edits
from svc.webapp.domain.messages.messages import Messages
from svc.webapp.domain.messages.notes import Notes
from svc.webapp.domain.messages.posts import Post
from svc.webapp.domain.people.caller import Caller
from svc.webapp.domain.refusal import Refused
from svc.webapp.store.rows import TokenKind

__all__ = ["Said", "Speech", "guest", "said"]


def guest(app: App, channel_id: str, bot_id: str = "") -> Caller:
    """Return the app's bot (or a webhook of it) as the guest of a conversation, with everything that a bot may."""
    return Caller(app.team_id, app.user_id, TokenKind.BOT, bot_id or app.bot_id, app.id, guest_of=channel_id)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of an app."""

    post: Post
    is_in_channel: bool = False
    """Whether everybody is to see it, or only the person."""
    replaces: bool = False
    """Whether it takes the place of the message that was clicked."""
    deletes: bool = False
    """Whether that message goes."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing in it to show."""
        return not (self.post.text.strip() or self.post.blocks or self.post.attachments)


def said(payload: Mapping[str, object], name: str = "") -> Said:
    """Return the answer in a payload, in which nothing is required. Pure.

    `name`: under which it is said where the payload names none. Raises Refused `invalid_payload` for fields of
    impossible types.
    """

    def text(field: str) -> str:
        value = payload.get(field)
        if value is None:
            return ""
        if isinstance(value, bool | str | int | float):
            return str(value)
        raise Refused("invalid_payload")

    def array(field: str) -> Sequence[object]:
        value = payload.get(field)
        if value is None or isinstance(value, list):
            return value or ()
        raise Refused("invalid_payload")

    def choice(field: str) -> bool | None:
        return None if payload.get(field) is None else payload.get(field) in (True, 1, "1", "true")

    post = Post(
        text=text("text"),
        blocks=array("blocks"),
        attachments=array("attachments"),
        thread_ts_us=_stamp(text("thread_ts")),
        reply_broadcast=payload.get("reply_broadcast") is True,
        username=text("username") or name,
        icon_emoji=text("icon_emoji"),
        icon_url=text("icon_url"),
        mrkdwn=payload.get("mrkdwn") is not False,
        link_names=payload.get("link_names") in (True, 1, "1", "true"),
        unfurl_links=choice("unfurl_links"),
        unfurl_media=choice("unfurl_media"),
    )
    return Said(
        post,
        is_in_channel=text("response_type") == "in_channel",
        replaces=payload.get("replace_original") in (True, "true"),
        deletes=payload.get("delete_original") in (True, "true"),
    )


def _stamp(ts: str) -> int:
    if not ts:
        return 0
    try:
        return us_from_ts(ts)
    except ValueError:
        raise Refused("invalid_payload") from None


class Speech:
    """Says what apps answer. Methods raise Refused, and UnavailableError when MySQL does not answer."""

    def __init__(self, messages: Messages, notes: Notes, edits: Edits, writes: Writes) -> None:
        self._messages = messages
        self._notes = notes
        self._edits = edits
        self._writes = writes

    async def answer(self, app: App, asked: ResponsePass, answer: Said) -> None:
        """Say an answer to what was asked there. Refused as posting, changing and removing messages are."""
        caller = guest(app, asked.channel_id)
        if answer.deletes:
            await self._remove(caller, asked)
            return
        if answer.replaces and asked.message_ts_us and not asked.is_ephemeral:
            post = answer.post
            edit = Edit(text=post.text, blocks=post.blocks, attachments=post.attachments)
            await self._edits.update(caller, asked.channel_id, asked.message_ts_us, edit)
            return
        if answer.replaces and asked.message_ts_us:
            await self._remove(caller, asked)
        if answer.is_in_channel:
            await self._messages.post(caller, asked.channel_id, answer.post)
        else:
            await self._notes.post(caller, asked.channel_id, asked.user_id, answer.post)

    async def _remove(self, caller: Caller, asked: ResponsePass) -> None:
        if not asked.message_ts_us:
            raise Refused("message_not_found")
        if not asked.is_ephemeral:
            await self._edits.delete(caller, asked.channel_id, asked.message_ts_us)
            return
        gone: Json = {
            "type": "message",
            "subtype": "message_deleted",
            "hidden": True,
            "is_ephemeral": True,
            "channel": asked.channel_id,
            "deleted_ts": ts_from_us(asked.message_ts_us),
        }
        draft = Draft(event_pb2.EVENT_KIND_USER, lambda _: dict(gone))
        await self._writes.commit(Write(asked.user_id, (draft,)))
