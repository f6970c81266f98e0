"""What anybody may send: arguments, good and bad, and the many ways in which they are written into a request."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from hypothesis import strategies as st

from svc.webapp.api.arguments import Arg, Kind

__all__ = ["BODIES", "Request", "arguments", "bodies", "written"]

HUGE = 70_000
QUERY_MAX = 16_000
"""Longer addresses are refused by HTTP servers, before anybody looks at them."""
FORM = "application/x-www-form-urlencoded"

ODD_TEXT = st.sampled_from(
    [
        "\x00",
        "a\x00b",
        "\ud800",
        "x\udfff",
        "﷽" * 40,
        "\u202e\u200d\ufeff",
        "👩‍👩‍👧‍👦" * 20,
        "İı\u0345ẞ",
        "' OR 1=1 -- %s {0} %(x)s",
        "../../etc/passwd",
        "<@U0000000001> <!channel> <#C1|x> <https://e.org|x>",
        "\r\nSet-Cookie: a=b",
        "x" * HUGE,
        "€" * 5_000,
        "null",
        "NaN",
        "1e400",
        "-1",
        "0",
        "9" * 17,
        "9" * 40,
        "99999999999.999999",
        "true",
        "[]",
        "{}",
        "[" * 300 + "]" * 300,
        '{"a":' * 300 + "1" + "}" * 300,
        "C0000000000",
        "U0000000000",
        "F0000000000",
    ]
)
TEXT = st.text(max_size=20) | ODD_TEXT
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
BLOCK = st.fixed_dictionaries(
    {"type": st.sampled_from(["section", "divider", "actions", "input", "header", "context", "nonsense"])},
    optional={
        "text": st.fixed_dictionaries({"type": st.sampled_from(["mrkdwn", "plain_text"]), "text": TEXT}) | ANYTHING,
        "block_id": TEXT,
        "elements": st.lists(ANYTHING, max_size=3),
        "accessory": ANYTHING,
        "element": ANYTHING,
        "label": ANYTHING,
    },
)


@st.composite
def deep(draw: st.DrawFn) -> Any:
    """Lists or objects in each other, deeper than some writers of JSON go, or shallower than all of them."""
    depth, is_list = draw(st.sampled_from([5, 99, 300, 600])), draw(st.booleans())
    found: Any = draw(st.sampled_from([[], {}, "x", None]))
    for _ in range(depth):
        found = [found] if is_list else {"elements": found}
    return found


def of_kind(arg: Arg) -> st.SearchStrategy[Any]:
    """Return values of which many can be read as the argument's kind."""
    match arg.kind:
        case Kind.FLAG:
            return st.booleans() | st.sampled_from(["true", "False", "1", "0", "on", "maybe", ""])
        case Kind.NUMBER:
            return st.integers() | st.integers(-2, 2_000) | st.sampled_from(["10", "7.0", "9" * 18, "-" + "9" * 18])
        case Kind.STAMP:
            return st.sampled_from(["0", "0.0", "1700000000.000100", "99999999999.999999", "1", 1.5, 0, "now"])
        case Kind.ARRAY:
            return st.lists(BLOCK | ANYTHING, max_size=4) | deep().map(lambda each: [each])
        case Kind.OBJECT:
            return st.dictionaries(st.text(max_size=8), ANYTHING, max_size=4) | deep().map(
                lambda each: {"blocks": each}
            )
        case Kind.LIST:
            return st.lists(TEXT, max_size=4) | st.text(max_size=20) | st.just([f"U{n:010}" for n in range(2_000)])
        case Kind.TEXT:
            return TEXT


@st.composite
def arguments(draw: st.DrawFn, args: Sequence[Arg], words: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    """Return arguments for a method: most of them, mostly with values that there are (`words`), and some of no use."""
    given: dict[str, Any] = {}
    for arg in args:
        if not arg.required and draw(st.integers(0, 2)) == 0:
            continue
        known = [*words.get(arg.name, ()), *words.get("", ())]
        choices = [st.sampled_from(known)] * (4 if arg.name in words else 1) if known else []
        given[arg.name] = draw(st.one_of(*choices, of_kind(arg), of_kind(arg), ANYTHING, deep()))
    if draw(st.integers(0, 5)) == 0:
        given[draw(st.text(max_size=12))] = draw(ANYTHING)
    return given


@dataclass(frozen=True)
class Request:
    """What goes over the wire."""

    verb: str = "POST"
    query: str = ""
    content_type: str = ""
    body: bytes = b""


def _flat(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, value if isinstance(value, str) else json.dumps(value)) for name, value in given.items() if value != ""
    ]


def _urlencoded(given: Mapping[str, Any]) -> str:
    return urlencode([(n.encode(errors="surrogatepass"), v.encode(errors="surrogatepass")) for n, v in _flat(given)])


def _multipart(given: Mapping[str, Any]) -> bytes:
    parts = [
        b'--X-y\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        % (quote(name, errors="replace").encode(), value.encode(errors="surrogatepass"))
        for name, value in _flat(given)
    ]
    return b"".join(parts) + b"--X-y--\r\n"


def _json_twice(given: Mapping[str, Any]) -> bytes:
    """Return JSON in which each name is there twice."""
    pairs = [f"{json.dumps(name)}:{json.dumps(value)}" for name, value in (*given.items(), *given.items())]
    return ("{" + ",".join(pairs) + "}").encode()


@st.composite
def written(draw: st.DrawFn, args: Sequence[Arg], words: Mapping[str, Sequence[Any]]) -> Request:
    """Return a request with arguments in one of the forms that clients use, or in one that none does."""
    given = draw(arguments(args, words))
    match draw(st.integers(0, 11)):
        case 0 | 1:
            query = _urlencoded(given)
            if len(query) < QUERY_MAX:
                return Request(draw(st.sampled_from(["GET", "POST"])), query)
            return Request(content_type=FORM, body=query.encode())
        case 2 | 3 | 4:
            return Request(content_type=FORM, body=_urlencoded(given).encode())
        case 5:
            return Request(content_type="multipart/form-data; boundary=X-y", body=_multipart(given))
        case 6:
            return Request(content_type="application/json", body=_json_twice(given))
        case 7:
            return draw(bodies())
        case _:
            return Request(content_type="application/json", body=json.dumps(given).encode())


TYPES = (
    "",
    FORM,
    FORM + "; charset=iso-8859-1",
    FORM + "; charset=utf-16",
    "application/json",
    "multipart/form-data; boundary=X-y",
    "multipart/form-data",
    "text/plain",
    "application/octet-stream",
    'a/b; c="\\',
)
BODIES = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"{",
    b'{"a":"\\ud800"}',
    b"[" * 2_000,
    b'{"a":' * 2_000,
    b"null",
    b'"x"',
    b"a=%ff&b=%00",
    b"%" * 100,
    b"&".join([b"a=1"] * 2_000),
    b"=" * 50,
    b'--X-y\r\nContent-Disposition: form-data; name="channel"\r\n\r\nC',
    b'--X-y\r\nContent-Disposition: form-data; name="file"; filename="../../x"\r\n\r\nabc\r\n--X-y--\r\n',
    b"--X-y\r\n\r\n\r\n--X-y--\r\n",
    b"payload=%7B%22text%22%3A1%7D",
)


@st.composite
def bodies(draw: st.DrawFn) -> Request:
    """Return a body that says nothing, called something."""
    body = draw(st.sampled_from(BODIES) | st.binary(max_size=200))
    query = draw(st.sampled_from(["", "a=1", "%ff=%ff", "&&&", "channel=%00", "?", "a" * 3_000]))
    return Request(draw(st.sampled_from(["POST", "GET", "PUT"])), query, draw(st.sampled_from(TYPES)), body)
