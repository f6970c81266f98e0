"""An index on the disk, by tantivy. What it finds is what `questions.is_match` says; how good it is, BM25 of the stems.

A document's words come taken apart, so tantivy only splits at spaces. What the second stage needs lies in columns of
numbers; ids are kept once, beside the document, and read for a page of hits alone. The state is a document too, which
no question finds because nobody may see it, so that it is replaced in the commit that it tells of.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tantivy
from tantivy import FieldType, Occur, Query

from svc.webapp.search.documents import Document, Key, for_user
from svc.webapp.search.index import Candidate, Candidates, Found, IndexState, IndexTroubleError
from svc.webapp.search.questions import Conditions, Phrase, Question, needed_count
from svc.webapp.search.ranking import hash_of
from svc.webapp.search.words import stem

__all__ = ["TantivyIndex", "free_bytes"]

HEAP_BYTES = 32 * 1024 * 1024
"""Of documents that wait for a commit; a page of a build takes one. Two commits a second never fill it."""
THREADS = 1
"""Of writing. Merges have threads of tantivy's own, and go on while it is asked."""
STATE = "state"
_NUMBERS = ("ts", "channel", "user", "reactions", "length")


def free_bytes(folder: Path) -> int:
    """Return what is free on the disk of a folder."""
    return shutil.disk_usage(folder).free


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("state", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("public_in", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("words", tokenizer_name="whitespace", index_option="position")
    builder.add_text_field("stems", tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("marks", tokenizer_name="whitespace", index_option="basic")
    for name in _NUMBERS:
        builder.add_unsigned_field(name, indexed=name in ("channel", "user", "ts"), fast=True)
    return builder.build()


class TantivyIndex:
    """An Index in a folder of its own, made if need be. Two processes never write to one: the second fails to open it.

    Raises IndexTroubleError where nothing can be opened, or made.
    """

    def __init__(self, folder: Path, *, free_bytes_min: int = 0, free: Callable[[Path], int] = free_bytes) -> None:
        self._folder = folder
        self._free_bytes_min = free_bytes_min
        self._free = free
        self._schema = _schema()
        self._writer: Any = None
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._index = tantivy.Index(self._schema, path=str(folder))
            self._open_writer()
        except (OSError, ValueError) as error:
            raise IndexTroubleError(f"{folder}: {error}") from error
        self._searcher = self._index.searcher()
        self._state = self._read_state()

    @property
    def state(self) -> IndexState:
        """See Index."""
        return self._state

    @property
    def documents(self) -> int:
        """See Index."""
        return max(0, self._searcher.num_docs - 1)

    def write(self, documents: Collection[Document], gone: Collection[Key]) -> None:
        """See Index."""
        self._check_room()
        try:
            latest = {each.key: each for each in documents}
            for key in (*gone, *latest):
                self._writer.delete_documents_by_term("key", _name(key))
            for each in latest.values():
                self._writer.add_document(self._document(each))
        except (OSError, ValueError) as error:
            raise IndexTroubleError(f"{self._folder}: {error}") from error

    def commit(self, state: IndexState) -> None:
        """See Index."""
        self._check_room()
        said = tantivy.Document()
        said.add_text("key", STATE)
        said.add_text("state", json.dumps(asdict(state)))
        try:
            self._writer.delete_documents_by_term("key", STATE)
            self._writer.add_document(said)
            self._writer.commit()
            self._index.reload()
        except (OSError, ValueError) as error:
            raise IndexTroubleError(f"{self._folder}: {error}") from error
        self._searcher = self._index.searcher()
        self._state = state

    def reset(self) -> None:
        """See Index."""
        self._writer = None  # one whose disk was full writes never again; its lock goes with it
        try:
            self._open_writer()
        except (OSError, ValueError) as error:
            raise IndexTroubleError(f"{self._folder}: {error}") from error

    def newest(
        self, question: Question, limit: int, offset: int, *, is_loose: bool, but: Collection[Key] = ()
    ) -> Found:
        """See Index."""
        query = self._query(question, is_loose=is_loose)
        if but:
            without = Query.term_set_query(self._schema, "key", [_name(key) for key in but])
            query = Query.boolean_query([(Occur.Must, query), (Occur.MustNot, without)])
        searcher = self._searcher
        found = searcher.search(query, max(1, limit), count=True, order_by_field="ts", offset=offset)
        hits = found.hits[:limit]
        return Found(_keys(searcher, [place for _, place in hits]), int(getattr(found, "count", 0) or 0))

    def candidates(self, question: Question, limit: int) -> Candidates:
        """See Index."""
        query, searcher = self._query(question, is_loose=True), self._searcher
        newest_max = limit - limit * 2 // 3
        newest = searcher.search(query, newest_max, count=True, order_by_field="ts")
        # As many best ones as there is room for even if none of them is among the newest.
        best = searcher.search(query, limit - len(newest.hits), count=False) if len(newest.hits) == newest_max else None
        scored = best.hits if best else searcher.search(query, newest_max, count=False).hits
        scores = {(place.segment_ord, place.doc): float(score) for score, place in scored}
        lowest = min(scores.values(), default=0.0)
        places = {(place.segment_ord, place.doc): place for _, place in (*scored, *newest.hits)}
        total = int(getattr(newest, "count", 0) or 0)
        return self._candidates(searcher, list(places.values()), [scores.get(at, lowest) for at in places], total)

    def close(self) -> None:
        """See Index."""
        self._writer = None

    def _candidates(self, searcher: Any, places: list[Any], scores: Sequence[float], total: int) -> Candidates:
        ts, channels, users, reactions, lengths = (searcher.fast_field_values(name, places) for name in _NUMBERS)
        rows = zip(ts, channels, users, scores, reactions, lengths, strict=True)
        return Candidates([Candidate(at, *row) for at, row in enumerate(rows)], _Keys(searcher, places), total)

    def _open_writer(self) -> None:
        self._writer = self._index.writer(HEAP_BYTES, THREADS)

    def _check_room(self) -> None:
        if self._writer is None:
            self.reset()
        free = self._free(self._folder)
        if free < self._free_bytes_min:
            raise IndexTroubleError(
                f"the disk of {self._folder} is full: {free} bytes are free, {self._free_bytes_min} needed"
            )

    def _read_state(self) -> IndexState:
        found = self._searcher.search(Query.term_query(self._schema, "key", STATE), 1)
        if not found.hits:
            return IndexState()
        raw = json.loads(self._searcher.doc(found.hits[0][1]).get_first("state") or "{}")
        channel_id, ts_us = raw.pop("built_until")
        return IndexState(**raw, built_until=(channel_id, ts_us))

    def _document(self, each: Document) -> tantivy.Document:
        made = tantivy.Document()
        made.add_text("key", _name(each.key))
        if each.public_in:
            made.add_text("public_in", each.public_in)
        made.add_text("words", " ".join(each.words))
        made.add_text("stems", " ".join(map(stem, each.words)))
        made.add_text("marks", " ".join(each.marks))
        made.add_unsigned("ts", each.ts_us)
        made.add_unsigned("channel", hash_of(each.channel_id))
        made.add_unsigned("user", hash_of(each.user_id))
        made.add_unsigned("reactions", each.reaction_count)
        made.add_unsigned("length", len(each.words))
        return made

    def _query(self, question: Question, *, is_loose: bool) -> Query:
        parts = [(Occur.Must, _silent(each)) for each in self._filters(question)]
        parts += [(Occur.MustNot, each) for each in self._unwanted(question)]
        exact = [each for each in question.phrases if each.is_exact or not is_loose]
        parts += [(Occur.Must, self._standing(each)) for each in exact]
        loose = [self._loose(each) for each in question.phrases if is_loose and not each.is_exact]
        if loose:
            parts.append((Occur.Must, _at_least(needed_count(len(loose)), loose)))
        return Query.boolean_query(parts)

    def _filters(self, question: Question) -> Iterable[Query]:
        having, schema = question.having, self._schema
        seen = [Query.term_query(schema, "public_in", question.team_id)]
        if question.member_channel_ids:
            seen.append(self._hashes("channel", question.member_channel_ids))
        yield _any(seen)
        yield from self._any_of(having)
        yield from (Query.term_query(schema, "marks", mark) for mark in sorted(having.marks))
        if question.oldest_us or question.latest_us:
            yield Query.range_query(
                schema,
                "ts",
                FieldType.Unsigned,
                question.oldest_us,
                question.latest_us or 2**63,
                include_upper=False,
            )
        if question.addressed_user_id:
            yield self._addressed(question)

    def _any_of(self, conditions: Conditions) -> Iterable[Query]:
        if conditions.author_ids:
            yield self._hashes("user", conditions.author_ids)
        if conditions.channel_ids:
            yield self._hashes("channel", conditions.channel_ids)

    def _addressed(self, question: Question) -> Query:
        to = question.addressed_user_id
        named = Query.term_query(self._schema, "marks", for_user(to))
        if not question.direct_channel_ids:
            return named
        direct = self._hashes("channel", question.direct_channel_ids)
        own = self._hashes("user", [to])
        return _any([named, Query.boolean_query([(Occur.Must, direct), (Occur.MustNot, own)])])

    def _unwanted(self, question: Question) -> Iterable[Query]:
        yield from self._any_of(question.lacking)
        yield from (Query.term_query(self._schema, "marks", mark) for mark in sorted(question.lacking.marks))
        yield from map(self._standing, question.lacking_phrases)

    def _hashes(self, field: str, identifiers: Iterable[str]) -> Query:
        return Query.term_set_query(self._schema, field, [hash_of(each) for each in identifiers])

    def _standing(self, each: Phrase) -> Query:
        """Return what finds the words in a row, as they are."""
        if len(each.words) > 1:
            words: list[str | tuple[int, str]] = list(each.words)
            if each.is_prefix:
                return Query.phrase_prefix_query(self._schema, "words", words)
            return Query.phrase_query(self._schema, "words", words)
        return self._beginning(each.words[0]) if each.is_prefix else self._word(each.words[0])

    def _word(self, word: str) -> Query:
        return Query.term_query(self._schema, "words", word)

    def _beginning(self, word: str) -> Query:
        return Query.fuzzy_term_query(self._schema, "words", word, 0, True, True)

    def _loose(self, each: Phrase) -> Query:
        """Return what finds the words in any of their forms, wherever they stand."""
        stems = [Query.term_query(self._schema, "stems", stem(word), "freq") for word in each.words]
        forms = Query.boolean_query([(Occur.Must, one) for one in stems])
        return _any([forms, self._beginning(each.words[-1])]) if each.is_prefix else forms


class _Keys(Sequence[Key]):
    """Keys of documents, read when one is asked for."""

    def __init__(self, searcher: Any, places: Sequence[Any]) -> None:
        self._searcher = searcher
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, at: Any) -> Any:
        return _keys(self._searcher, [self._places[at]])[0]


def _keys(searcher: Any, places: Iterable[Any]) -> list[Key]:
    names = (str(searcher.doc(place).get_first("key")) for place in places)
    return [(channel_id, int(ts_us)) for channel_id, _, ts_us in (name.partition(":") for name in names)]


def _name(key: Key) -> str:
    return f"{key[0]}:{key[1]}"


def _silent(query: Query) -> Query:
    """Return a query that matches and does not count."""
    return Query.const_score_query(query, 0.0)


def _any(queries: Sequence[Query]) -> Query:
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Should, each) for each in queries])


def _at_least(count: int, queries: Sequence[Query]) -> Query:
    return Query.boolean_query([(Occur.Should, each) for each in queries], minimum_number_should_match=count)
