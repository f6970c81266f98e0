"""Arguments mean the same in whatever form a client sends them."""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.api.arguments import Arg, ArgumentError, Kind, merge, parse
from svc.webapp.api.bodies import read_body, read_query

FLAG = Arg("f", Kind.FLAG)
LIMIT = Arg("limit", Kind.NUMBER, invalid="invalid_limit", default=100, minimum=1, maximum=1000, clamp=True)
LIST = Arg("l", Kind.LIST)
TS = Arg("ts", Kind.STAMP, invalid="invalid_ts_latest")
ARRAY = Arg("a", Kind.ARRAY)
OBJECT = Arg("o", Kind.OBJECT)


@pytest.mark.parametrize("value", ["true", "True", "TRUE", "1", "yes", 1, True, " true "])
def test_every_spelling_of_true_is_true(value: object) -> None:
    """Python, Node and shell scripts each write booleans in their own way."""
    assert parse([FLAG], {"f": value}).flag("f") is True


@pytest.mark.parametrize("value", ["false", "False", "0", "no", 0, False])
def test_every_spelling_of_false_is_false(value: object) -> None:
    """A flag that is given as false is not one that was left out."""
    args = parse([FLAG], {"f": value})
    assert args.flag("f") is False
    assert args.has("f")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("100", 100),
        (7, 7),
        ("7.0", 7),
        (" 12 ", 12),
        (0, 100),
        ("0", 100),
        ("-5", 1),
        ("5000", 1000),
        ("", 100),
        (None, 100),
    ],
)
def test_a_limit_is_read_and_kept_within_its_bounds(value: object, expected: int) -> None:
    """0 and "" mean the default; anything outside is moved to the nearer end."""
    assert parse([LIMIT], {"limit": value}).number("limit") == expected


@pytest.mark.parametrize("value", ["ten", "1e3", "0x10", "1.5", True, [1], {"n": 1}, "９", "1" * 40])
def test_a_limit_that_is_no_number_has_its_own_error(value: object) -> None:
    """The message says what was sent and what is allowed."""
    with pytest.raises(ArgumentError) as caught:
        parse([LIMIT], {"limit": value})
    assert caught.value.code == "invalid_limit"
    assert caught.value.messages[0].startswith("[ERROR] must be a whole number, not ")
    assert caught.value.messages[0].endswith("[json-pointer:/limit]")


@pytest.mark.parametrize(
    "value", ["U1,U2,U3", "U1, U2 ,U3,", '["U1","U2","U3"]', ["U1", "U2", "U3"], "U1,U1,U2,U3,U2", ["U1", " U2", "U3"]]
)
def test_a_list_is_csv_json_or_an_array(value: object) -> None:
    """Order is kept; repetitions and blanks are dropped."""
    assert parse([LIST], {"l": value}).names("l") == ("U1", "U2", "U3")


@pytest.mark.parametrize("value", ['["U1"', [["U1"]], {"a": 1}, [None]])
def test_a_list_of_anything_but_words_is_refused(value: object) -> None:
    """Nested or broken lists name the argument."""
    with pytest.raises(ArgumentError, match="json-pointer:/l"):
        parse([LIST], {"l": value})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1700000000.000100", 1_700_000_000_000_100),
        ("1700000000", 1_700_000_000_000_000),
        ("1700000000.1", 1_700_000_000_100_000),
        ("1700000000.12345678", 1_700_000_000_123_456),
        (1700000000, 1_700_000_000_000_000),
        (1700000000.5, 1_700_000_000_500_000),
        ("0", 0),
        (0, 0),
    ],
)
def test_a_timestamp_is_read_to_the_microsecond(value: object, expected: int) -> None:
    """Fractions are digits, not a float: .1 is .100000."""
    assert parse([TS], {"ts": value}).stamp("ts") == expected


@pytest.mark.parametrize("value", ["now", "-1", "1.2.3", "1e9", True, [], "17000000001700000000", float("nan")])
def test_what_is_no_timestamp_has_the_methods_own_error(value: object) -> None:
    """Slack names latest and oldest apart."""
    with pytest.raises(ArgumentError) as caught:
        parse([TS], {"ts": value})
    assert caught.value.code == "invalid_ts_latest"


@pytest.mark.parametrize("name", ["ts", "l", "a", "o", "f"])
def test_an_empty_string_is_an_absent_argument(name: str) -> None:
    """Clients send `latest=` and `cursor=` when they have none."""
    assert not parse([TS, LIST, ARRAY, OBJECT, FLAG], {name: " "}).has(name)


def test_objects_arrive_as_json_or_as_themselves() -> None:
    """In a form they are JSON text."""
    blocks = [{"type": "divider"}]
    assert parse([ARRAY], {"a": json.dumps(blocks)}).array("a") == blocks == parse([ARRAY], {"a": blocks}).array("a")
    assert parse([OBJECT], {"o": '{"x":1}'}).mapping("o") == {"x": 1}
    with pytest.raises(ArgumentError, match="must be a JSON array"):
        parse([ARRAY], {"a": {"type": "divider"}})
    with pytest.raises(ArgumentError, match="not JSON"):
        parse([OBJECT], {"o": "{"})


def test_every_mistake_is_named_at_once() -> None:
    """The first one decides the code."""
    declared = [Arg("channel", required=True), LIMIT, Arg("name", required=True, missing="invalid_name_required")]
    with pytest.raises(ArgumentError) as caught:
        parse(declared, {"limit": "x"})
    assert caught.value.code == "invalid_arguments"
    assert caught.value.messages[0] == "[ERROR] missing required field: channel"
    assert len(caught.value.messages) == 3


def test_unknown_arguments_are_ignored_and_impossible_names_are_not() -> None:
    """Clients send nonce, as_user, unfurl_links…; a JSON body that was labelled a form arrives as one long name."""
    assert parse([FLAG], merge({"nonce": "1", "as_user": "true"})).given == {}
    with pytest.raises(ArgumentError) as caught:
        merge({'{"channel": "C1"}': ""})
    assert caught.value.code == "invalid_arg_name"


def test_a_null_never_hides_a_value() -> None:
    """The body's null leaves the query's value alone; the body's value wins over the query's."""
    assert merge({"a": "1", "b": "1"}, {"a": None, "b": "2"}) == {"a": "1", "b": "2"}


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(lambda word: word.strip())


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), WORDS, max_size=6))
def test_query_form_multipart_and_json_say_the_same(arguments: dict[str, str]) -> None:
    """Any text, in any of the four forms, is read as the same arguments."""
    form = urlencode(arguments).encode()
    multipart = b"".join(
        b'--X-y\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value.encode())
        for name, value in arguments.items()
    )
    assert read_query(form) == arguments
    assert read_body("application/x-www-form-urlencoded", form) == arguments
    assert read_body("application/json; charset=utf-8", json.dumps(arguments).encode()) == arguments
    if arguments and not any("--X-y" in value for value in arguments.values()):
        assert read_body("multipart/form-data; boundary=X-y", multipart + b"--X-y--\r\n") == arguments


@given(
    st.dictionaries(st.text(max_size=5), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
)
def test_whatever_is_sent_is_read_or_refused(raw: dict[str, object]) -> None:
    """Nothing but ArgumentError ever comes out."""
    declared = [FLAG, LIMIT, LIST, TS, ARRAY, OBJECT, Arg("t", required=True)]
    for name in "f", "limit", "l", "ts", "a", "o", "t":
        for value in raw.values():
            with suppress(ArgumentError):
                assert parse(declared, merge({name: value, "t": "x"})).text("t")
