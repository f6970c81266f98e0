"""What writes do to what is there already: messages, annotations, items. Pure.

A write says what has to be so, and is refused as a whole when it is not: of two who edit one message at once, put the
same reaction on it, or take the same item, one succeeds. What counts is what the transaction found under the head's
lock, and on top of it what earlier writes of the batch have made of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from svc.kit.errors import InvalidArgumentError
from svc.webapp.commit import log
from svc.webapp.commit.log import Annotation, Guard, Write

__all__ = [
    "Alterations",
    "AnnotationKey",
    "Asked",
    "ItemKey",
    "Known",
    "MessageKey",
    "Rewrite",
    "Standing",
    "Thread",
    "asked",
    "check_alterations",
]

MessageKey = tuple[str, int]
"""(channel, ts)"""
AnnotationKey = tuple[str, int, int, str, str]
"""(channel, ts, kind, name, user)"""
ItemKey = tuple[str, int, str]
"""(channel, kind, id)"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a message decides on its changes."""

    revision: int
    thread_ts_us: int


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread of which a reply is to go."""

    count: int
    newest: Sequence[int] = ()
    """ts of its newest replies, the newest first: more than the batch removes, if there are more."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is true of what a batch asks about."""

    messages: Mapping[MessageKey, Standing] = field(default_factory=dict)
    annotations: Set[AnnotationKey] = frozenset()
    items: Set[ItemKey] = frozenset()
    threads: Mapping[MessageKey, Thread] = field(default_factory=dict)
    """Of messages that are to go, and of the parents of replies that are; who has no replies is left out."""
    to_read: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Of channels whose newest message that is to be read is to go: ts of the newest ones, the newest first, more than
    the batch takes away, if there are more."""


@dataclass(slots=True)
class Asked:
    """What a batch has to know."""

    messages: set[MessageKey] = field(default_factory=set)
    annotations: set[AnnotationKey] = field(default_factory=set)
    items: set[ItemKey] = field(default_factory=set)
    removed: set[MessageKey] = field(default_factory=set)
    faded: set[MessageKey] = field(default_factory=set)
    """Messages that will not be there to read."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What a message becomes; None: as it is."""

    revision: int
    text: str | None = None
    extra: bytes | None = None
    subtype: str | None = None
    reply_broadcast: bool | None = None


def asked(writes: Iterable[Write]) -> Asked:
    """Return what has to be known of what is there before these writes can be planned."""
    found = Asked()
    for write in writes:
        channel_id = write.channel_id
        for those in (write.changed, write.removed, write.annotated):
            found.messages.update((channel_id, each.ts_us) for each in those)
        found.annotations.update(_key(write, each) for each in (*write.annotated, *write.unannotated))
        found.items.update((channel_id, item.kind, item.id) for item in write.items if item.is_new is not None)
        found.items.update((channel_id, kind, item_id) for kind, item_id in write.items_dropped)
        found.removed.update((channel_id, each.ts_us) for each in write.removed)
        found.faded.update((channel_id, ts_us) for ts_us in _fading(write))
    return found


@dataclass(slots=True)
class Alterations:
    """What the writes of a batch make of what is there; None: gone."""

    messages: dict[MessageKey, Rewrite | None] = field(default_factory=dict)
    annotations: dict[AnnotationKey, tuple[str, int] | None] = field(default_factory=dict)
    """(who put it there, when)."""
    items: dict[ItemKey, tuple[int, bytes, int] | None] = field(default_factory=dict)
    """(due time, body, when)."""
    threads: dict[MessageKey, tuple[int, int]] = field(default_factory=dict)
    """(replies, latest reply's ts) of threads that lost one; those that only got more are counted by the plan."""
    faded: set[MessageKey] = field(default_factory=set)
    """Messages that are not there to read any more."""

    def refusal(self, known: Known, grown: Mapping[MessageKey, tuple[int, int]], write: Write) -> Guard | None:
        """Return which guard of a write does not hold. `grown`: replies that the batch has posted, by thread."""
        channel_id = write.channel_id
        read = [(each.ts_us, each.revision) for each in write.changed]
        for ts_us, revision in (*read, *((each.ts_us, each.revision) for each in write.removed)):
            standing = self._standing(known, (channel_id, ts_us))
            if standing is None or standing.revision != revision:
                return Guard.MESSAGE
        leaving: list[int] = []
        for removal in write.removed:
            standing = self._standing(known, (channel_id, removal.ts_us))
            leaving.append(standing.thread_ts_us if standing is not None else 0)
        for removal in write.removed:
            if self._thread(known, grown, (channel_id, removal.ts_us))[0] > leaving.count(removal.ts_us):
                return Guard.MESSAGE
        if any(self._standing(known, (channel_id, each.ts_us)) is None for each in write.annotated):
            return Guard.MESSAGE
        if any(self._is_annotated(known, _key(write, each)) for each in write.annotated):
            return Guard.ANNOTATION
        if not all(self._is_annotated(known, _key(write, each)) for each in write.unannotated):
            return Guard.ANNOTATION
        return self._item_refusal(known, write)

    def _item_refusal(self, known: Known, write: Write) -> Guard | None:
        for item in write.items:
            if item.is_new is not None and self._has_item(known, (write.channel_id, item.kind, item.id)) is item.is_new:
                return Guard.ITEM
        dropped = ((write.channel_id, kind, item_id) for kind, item_id in write.items_dropped)
        return None if all(self._has_item(known, key) for key in dropped) else Guard.ITEM

    def newest_left(self, known: Known, write: Write, newest_us: int) -> int | None:
        """Return the ts of the newest message to read (0: none) once a write has taken `newest_us` away; None: it
        does not.
        """
        channel_id = write.channel_id
        fading = _fading(write)
        if newest_us not in fading:
            return None
        shown = (ts_us for (channel, ts_us), each in self.messages.items() if channel == channel_id and _is_shown(each))
        return max(
            (
                ts_us
                for ts_us in (*known.to_read.get(channel_id, ()), *shown)
                if ts_us not in fading and (channel_id, ts_us) not in self.faded
            ),
            default=0,
        )

    def apply(
        self, known: Known, grown: dict[MessageKey, tuple[int, int]], write: Write, offset: int, ts_us: int
    ) -> None:
        """Add a write that is not refused. `offset`, `ts_us`: of its first event. Takes over from `grown` the threads
        that lose a reply.
        """
        channel_id = write.channel_id
        self.faded.update((channel_id, faded_us) for faded_us in _fading(write))
        for change in write.changed:
            key = (channel_id, change.ts_us)
            before = self.messages.get(key) or Rewrite(0)
            self.messages[key] = Rewrite(
                offset,
                before.text if change.text is None else change.text,
                before.extra if change.extra is None else change.extra,
                before.subtype if change.subtype is None else change.subtype,
                before.reply_broadcast if change.reply_broadcast is None else change.reply_broadcast,
            )
        for removal in write.removed:
            self._remove(known, grown, (channel_id, removal.ts_us))
        self.annotations.update((_key(write, each), None) for each in write.unannotated)
        self.annotations.update((_key(write, each), (each.by_id, ts_us)) for each in write.annotated)
        self.items.update(((channel_id, kind, item_id), None) for kind, item_id in write.items_dropped)
        self.items.update(((channel_id, item.kind, item.id), (item.due_us, item.body, ts_us)) for item in write.items)

    def _remove(self, known: Known, grown: dict[MessageKey, tuple[int, int]], key: MessageKey) -> None:
        standing = self._standing(known, key)
        self.messages[key] = None
        # They go with their message, whatever the batch did to them before.
        for annotation in [each for each in self.annotations if each[:2] == key]:
            del self.annotations[annotation]
        if standing is None or not standing.thread_ts_us:
            return
        parent = (key[0], standing.thread_ts_us)
        count, latest_us = self._thread(known, grown, parent)
        grown.pop(parent, None)
        if latest_us == key[1]:
            newest = known.threads[parent].newest if parent in known.threads else ()
            latest_us = next((ts_us for ts_us in newest if not self.is_gone((key[0], ts_us))), 0)
        self.threads[parent] = (max(0, count - 1), latest_us)

    def _thread(self, known: Known, grown: Mapping[MessageKey, tuple[int, int]], key: MessageKey) -> tuple[int, int]:
        """Return how many replies a message has by now, and the latest one's ts."""
        if key in self.threads:
            return self.threads[key]
        thread, (more, latest_us) = known.threads.get(key, Thread(0)), grown.get(key, (0, 0))
        return thread.count + more, max(latest_us, *thread.newest[:1], 0)

    def _standing(self, known: Known, key: MessageKey) -> Standing | None:
        """Return what a message is by now; None when it is not there."""
        standing = known.messages.get(key)
        if standing is None or self.is_gone(key):
            return None
        rewrite = self.messages.get(key)
        return Standing(rewrite.revision, standing.thread_ts_us) if rewrite is not None else standing

    def is_gone(self, key: MessageKey) -> bool:
        """Tell whether the batch removes a message."""
        return key in self.messages and self.messages[key] is None

    def _is_annotated(self, known: Known, key: AnnotationKey) -> bool:
        if key in self.annotations:
            return self.annotations[key] is not None
        return key in known.annotations and not self.is_gone(key[:2])

    def _has_item(self, known: Known, key: ItemKey) -> bool:
        return self.items[key] is not None if key in self.items else key in known.items


def _key(write: Write, annotation: Annotation) -> AnnotationKey:
    return write.channel_id, annotation.ts_us, annotation.kind, annotation.name, annotation.user_id


def _is_shown(rewrite: Rewrite | None) -> bool:
    """Tell whether a message that was a reply of its thread alone is one of the conversation now."""
    return rewrite is not None and bool(rewrite.reply_broadcast)


def _fading(write: Write) -> set[int]:
    """Return the ts of messages that nobody has to read any more once the write is true."""
    fading = {change.ts_us for change in write.changed if change.subtype in log.NOTHING_TO_READ}
    return fading | {removal.ts_us for removal in write.removed}


def check_alterations(write: Write) -> None:
    """Raise InvalidArgumentError for a write whose alterations are over their limits, or say two things of one."""
    for subject in ("changed", "removed", "annotated", "unannotated", "items", "items_dropped"):
        _check_limit(f"{subject} of one write", log.CHANGES_MAX, len(getattr(write, subject)))
    if not write.drafts:
        raise InvalidArgumentError("a write that changes something needs an event that tells it", subject="drafts")
    removed = [each.ts_us for each in write.removed]
    _check_once("messages", [*(each.ts_us for each in write.changed), *removed])
    annotations = (*write.annotated, *write.unannotated)
    _check_once("annotations", [_key(write, each) for each in annotations])
    if not {each.ts_us for each in annotations}.isdisjoint(removed):
        raise InvalidArgumentError("annotations go with their message", subject="annotations")
    _check_once("items", [*((item.kind, item.id) for item in write.items), *write.items_dropped])
    for name in (each.name for each in write.annotated):
        _check_word("the name of an annotation", log.ANNOTATION_NAME_CHARS_MAX, name)
    for item in write.items:
        _check_word("the id of an item", log.ITEM_ID_CHARS_MAX, item.id)
        _check_limit("body of an item", log.ITEM_BYTES_MAX, len(item.body))


def _check_once(subject: str, keys: Sequence[object]) -> None:
    if len(set(keys)) != len(keys):
        raise InvalidArgumentError(f"one write says two things of one of its {subject}", subject=subject)


def _check_word(subject: str, limit: int, word: str) -> None:
    _check_limit(subject, limit, len(word))
    # MySQL compares words without the blanks at their end.
    if word != word.strip():
        raise InvalidArgumentError(f"{subject} has blanks around it", subject=subject)


def _check_limit(subject: str, limit: int, actual: int) -> None:
    if actual > limit:
        raise InvalidArgumentError(f"{subject}: {actual}, at most {limit}", subject=subject, limit=limit, actual=actual)
