"""What a page says of itself, and pages that were not written to be read."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from svc.webapp.unfurl.addresses import Reach
from svc.webapp.unfurl.bodies import Body, BodyError
from svc.webapp.unfurl.charsets import decoded
from svc.webapp.unfurl.offers import wish_of
from svc.webapp.unfurl.pages import TEXT_CHARS_MAX, Page, read_page
from svc.webapp.unfurl.previews import Picture, is_preview, of_page, of_picture, still_linked, wanted

URL = "https://www.a.example/dir/page"
OPEN_GRAPH = """<!DOCTYPE html><html><head><!-- <title>not this</title> -->
<script>if (a < b) document.write("<title>nor this</title>")</script>
<title>Plain &amp; old</title><meta name="description" content="plain">
<meta property="og:title" content="Tea &amp; &quot;biscuits&quot; &lt;!channel&gt;">
<meta property="og:description" content="  How
 it is   made ">
<meta property="og:site_name" content="The Kettle"><meta property="og:image" content="/tea.png">
<meta property="og:image:width" content="1200"><meta property="og:image:height" content="630">
<link rel="icon" href="icon.ico"></head><body><meta property="og:title" content="late"></body></html>"""


def test_open_graph_comes_first() -> None:
    """Before a page's own title; addresses are made whole."""
    page = read_page(OPEN_GRAPH, URL)
    assert page == Page(
        url=URL,
        title='Tea & "biscuits" <!channel>',
        text="How it is made",
        site="The Kettle",
        image="https://www.a.example/tea.png",
        image_width=1200,
        image_height=630,
        icon="https://www.a.example/dir/icon.ico",
    )


@pytest.mark.parametrize(
    ("html", "title", "text"),
    [
        ("<title> Just\n a title </title>", "Just a title", ""),
        ("<TITLE>Upper</TITLE><META NAME=Description CONTENT='of old'>", "Upper", "of old"),
        ("<meta name=twitter:title content=T><meta name='twitter:description' content=D>", "T", "D"),
        ("<meta content='turned' property='og:title'>", "turned", ""),
        ("<title>first</title><svg><title>drawn</title></svg><title>second</title>", "first", ""),
        ("<title>unclosed", "unclosed", ""),
        ("<p>no head at all</p>", "", ""),
        ("<script>never closed <title>x</title>", "", ""),
        ("<title>a</title><![wat[ x ]]><meta name=description content=d>", "a", ""),
        ("<title>\u202eevil\x00\u200b name</title>", "evil name", ""),
    ],
)
def test_pages_of_all_kinds(html: str, title: str, text: str) -> None:
    """Old ones, sloppy ones, and such as end in the middle."""
    page = read_page(html, URL)
    assert (page.title, page.text) == (title, text)


def test_a_base_is_heeded_and_long_words_are_cut() -> None:
    """And so are blanks."""
    page = read_page(f"<base href='//cdn.a.example/x/'><meta name=description content='{'w ' * 900}'>"
                     "<meta property=og:image content=y.png>", URL)  # fmt: skip
    assert page.image == "https://cdn.a.example/x/y.png"
    assert len(page.text) <= TEXT_CHARS_MAX
    assert page.text.endswith("w…")


NONSENSE = [
    "<",
    "<a ",
    "<a x='",
    "<!--",
    "<![",
    "<![if x]>",
    "<!DOCTYPE ",
    "<?",
    "</",
    "&a;",
    "<title>x",
    "<b>",
    "<meta\n",
    "<script>",
]


@pytest.mark.parametrize("piece", NONSENSE)
def test_a_page_that_is_made_to_be_slow_is_read_in_bounds(piece: str) -> None:
    """The parser is given up before it goes over the same thing for minutes: this ends, or the suite does not."""
    read_page((piece * (512 * 1024 // len(piece) + 1))[: 512 * 1024], URL)


@given(
    st.lists(
        st.sampled_from([*NONSENSE, OPEN_GRAPH[:300], "'>", ">", "x", "</title>", "</script>", "-->"]), max_size=60
    )
)
def test_any_nonsense_is_a_page(pieces: list[str]) -> None:
    """With a bounded title, and no letters that cannot be seen."""
    page = read_page("".join(pieces), URL)
    assert len(page.title) <= 300
    assert page.title.isprintable()
    assert page.text.isprintable()


@given(st.binary(max_size=400), st.text(max_size=12))
def test_any_bytes_are_a_text(body: bytes, charset: str) -> None:
    """Whatever its server calls them."""
    read_page(decoded(body, charset), URL)


@pytest.mark.parametrize(
    ("body", "charset", "text"),
    [
        ("grün".encode(), "", "grün"),
        ("grün".encode("latin-1"), "", "grün"),
        ("grün".encode("latin-1"), "iso-8859-1", "grün"),
        ("“grün”".encode("cp1252"), "ISO-8859-1", "“grün”"),
        ("чай".encode("koi8-r"), "koi8-r", "чай"),
        ("<meta charset=windows-1251>чай".encode("cp1251"), "", "<meta charset=windows-1251>чай"),
        ("お茶".encode("shift_jis"), "Shift_JIS", "お茶"),
        ("\ufeff茶".encode("utf-16-le"), "utf-8", "茶"),
        ("茶".encode()[:-1], "", "\ufffd"),
        (b"plain", "rot13", "plain"),
        (b"plain", "idna", "plain"),
        (b"plain", "no such thing", "plain"),
    ],
)
def test_charsets(body: bytes, charset: str, text: str) -> None:
    """By the server's word, the page's, or by what it looks like; only encodings of the web."""
    assert decoded(body, charset) == text


def test_a_body_is_unpacked_up_to_its_bound() -> None:
    """A bomb is defused: nothing beyond the bound is ever unpacked."""
    page = b"x" * 10_000
    deflate = zlib.compress(page)
    for coding, packed in (("gzip", gzip.compress(page)), ("deflate", deflate), ("", page), ("IDENTITY", page)):
        body = Body(coding, 20_000)
        for start in range(0, len(packed), 100):
            body.take(packed[start : start + 100])
        assert bytes(body.content) == page
    bomb = Body("gzip", 1_000)
    bomb.take(gzip.compress(bytes(50 << 20)))
    assert (len(bomb.content), bomb.is_full) == (1_000, True)
    large = Body("", 1_000)
    large.take(bytes(5_000))
    assert (len(large.content), large.is_full) == (1_000, True)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
def test_codings_that_were_not_asked_for_are_refused(coding: str) -> None:
    """So are damaged bodies."""
    with pytest.raises(BodyError):
        Body(coding, 10)
    with pytest.raises(BodyError):
        Body("gzip", 10).take(b"not gzip at all")


def test_the_attachment_of_a_page() -> None:
    """As Slack's clients know it; what strangers wrote means nothing."""
    preview = of_page("https://a.example/s", read_page(OPEN_GRAPH, URL), Reach())
    assert preview is not None
    assert preview.attachment == {
        "from_url": "https://a.example/s",
        "original_url": "https://a.example/s",
        "service_name": "The Kettle",
        "service_icon": "https://www.a.example/dir/icon.ico",
        "title": 'Tea &amp; "biscuits" &lt;!channel&gt;',
        "title_link": "https://a.example/s",
        "text": "How it is made",
        "image_url": "https://www.a.example/tea.png",
        "image_width": 1200,
        "image_height": 630,
        "fallback": 'The Kettle: Tea &amp; "biscuits" &lt;!channel&gt;',
    }
    assert is_preview(preview.attachment)
    assert not preview.is_media


def test_pictures_of_pages_are_such_as_anybody_may_ask() -> None:
    """A page does not have its readers ask their own routers."""
    for image in ("http://192.168.0.1/reboot.png", "http://a.example:8080/x.png", "javascript:x", "data:image/png,x"):
        preview = of_page(URL, Page(url=URL, title="t", image=image, icon=image), Reach())
        assert preview is not None
        assert not {"image_url", "thumb_url", "service_icon"} & preview.attachment.keys()
    small = of_page(URL, Page(url=URL, title="t", image="https://a.example/x.png"), Reach())
    assert small is not None
    assert small.attachment["thumb_url"] == "https://a.example/x.png"
    assert of_page(URL, Page(url=URL, image="https://a.example/x.png"), Reach()) is None


def test_the_attachment_of_a_picture() -> None:
    """Its name and size, with the picture itself."""
    made = of_picture("https://a.example/x%20y.png", Picture(1234, 30, 20)).attachment
    assert (made["title"], made["fallback"], made["image_bytes"]) == ("x y.png", "30x20px image", 1234)
    assert made["image_url"] == made["from_url"] == "https://a.example/x%20y.png"
    assert of_picture("https://a.example/", Picture(0)).attachment["title"] == "a.example"


@pytest.mark.parametrize(
    ("is_bot", "links", "media", "pages", "pictures"),
    [
        (False, None, None, True, True),
        (True, None, None, False, True),
        (True, True, None, True, True),
        (False, False, None, False, True),
        (False, None, False, True, False),
        (False, False, False, False, False),
    ],
)
def test_wishes(is_bot: bool, links: bool | None, media: bool | None, pages: bool, pictures: bool) -> None:
    """What people link is shown, of what bots link only media, unless they say otherwise."""
    wish = wish_of(is_bot=is_bot, links=links, media=media)
    page = of_page(URL, Page(url=URL, title="t"), Reach())
    film = of_page(URL, read_page("<title>t</title><meta property=og:type content=video.other>", URL), Reach())
    assert page is not None
    assert film is not None
    picture = of_picture(URL, Picture(0))
    assert [wanted(each, wish) for each in (page, film, picture)] == [pages, pictures, pictures]
    assert wish.is_any == (pages or pictures)


def test_previews_go_with_their_links() -> None:
    """What an app or an author attached stays."""
    mine = of_picture(URL, Picture(0)).attachment
    apps, written = {**mine, "is_app_unfurl": True}, {"text": "x"}
    assert still_linked([mine, apps, written], frozenset({URL})) == [apps, written]
    assert still_linked([mine, apps, written], frozenset()) == [mine, apps, written]
