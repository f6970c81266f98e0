"""What a file is, by its name and its first bytes, and as what it may be given to a browser. Pure.

What a name claims decides how a file is shown, never how it is served: served are only types that no browser runs, and
everything else as bytes to be saved.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAMILIES", "PREVIEW_CHARS", "Kind", "Serving", "family_of", "is_text", "kind_of", "kind_of_type", "serving"]

FAMILIES = ("images", "snippets", "pdfs", "zips", "videos", "audios", "docs", "others")
"""What lists can be filtered by; each kind is of one."""
SNIPPET_BYTES_MAX = 1 << 20
"""A text up to this size is a snippet, which clients show and open; larger ones are files like any other."""
PREVIEW_CHARS = 500
PREVIEW_LINES = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of file, as Slack calls it."""

    filetype: str
    mimetype: str
    pretty: str
    family: str


def _kinds() -> dict[str, Kind]:
    """Return the kinds by ending. A line: family; then `endings filetype mimetype Pretty Name`."""
    kinds: dict[str, Kind] = {}
    family = ""
    for line in _TABLE.strip().splitlines():
        words = line.split(maxsplit=3)
        if len(words) == 1:
            family = words[0]
            continue
        endings, filetype, mimetype, pretty = words
        for ending in endings.split(","):
            kinds[ending] = Kind(filetype, mimetype, pretty, family)
    return kinds


_TABLE = """
images
png png image/png PNG
jpg,jpeg jpg image/jpeg JPEG
gif gif image/gif GIF
webp webp image/webp WebP
bmp bmp image/bmp Bitmap
tif,tiff tiff image/tiff TIFF
heic heic image/heic HEIC
avif avif image/avif AVIF
svg svg image/svg+xml SVG
pdfs
pdf pdf application/pdf PDF
zips
zip zip application/zip Zip
gz,tgz gzip application/gzip Gzip
tar tar application/x-tar Tar
7z 7z application/x-7z-compressed 7-Zip
rar rar application/vnd.rar RAR
bz2 bz2 application/x-bzip2 Bzip2
xz xz application/x-xz XZ
videos
mp4,m4v mp4 video/mp4 MPEG 4 Video
webm webm video/webm WebM
mov mov video/quicktime QuickTime Movie
avi avi video/x-msvideo AVI
mkv mkv video/x-matroska Matroska Video
mpg,mpeg mpg video/mpeg MPEG Video
audios
mp3 mp3 audio/mpeg MP3
m4a m4a audio/mp4 MPEG 4 Audio
ogg,oga ogg audio/ogg Ogg Vorbis
opus opus audio/ogg Opus
wav wav audio/wav WAV
flac flac audio/flac FLAC
aac aac audio/aac AAC
docs
doc doc application/msword Word Document
docx docx application/vnd.openxmlformats-officedocument.wordprocessingml.document Word Document
xls xls application/vnd.ms-excel Excel Spreadsheet
xlsx xlsx application/vnd.openxmlformats-officedocument.spreadsheetml.sheet Excel Spreadsheet
ppt ppt application/vnd.ms-powerpoint PowerPoint Presentation
pptx pptx application/vnd.openxmlformats-officedocument.presentationml.presentation PowerPoint Presentation
odt odt application/vnd.oasis.opendocument.text OpenDocument Text
ods ods application/vnd.oasis.opendocument.spreadsheet OpenDocument Spreadsheet
odp odp application/vnd.oasis.opendocument.presentation OpenDocument Presentation
rtf rtf application/rtf Rich Text File
epub epub application/epub+zip EPUB
snippets
txt,text,log text text/plain Plain Text
md,markdown markdown text/markdown Markdown
csv csv text/csv CSV
tsv tsv text/tab-separated-values TSV
json json application/json JSON
yaml,yml yaml text/yaml YAML
toml toml text/plain TOML
ini,cfg,conf text text/plain Plain Text
xml xml application/xml XML
html,htm,xhtml html text/html HTML
css css text/css CSS
js,mjs,cjs,jsx javascript text/javascript JavaScript
ts,tsx typescript text/plain TypeScript
py python text/x-python Python
rb ruby text/x-ruby Ruby
go go text/x-go Go
rs rust text/x-rust Rust
c,h c text/x-csrc C
cc,cpp,cxx,hpp cpp text/x-c++src C++
cs csharp text/x-csharp C#
java java text/x-java Java
kt kotlin text/x-kotlin Kotlin
swift swift text/x-swift Swift
scala scala text/x-scala Scala
php php text/x-php PHP
pl perl text/x-perl Perl
lua lua text/x-lua Lua
r r text/x-rsrc R
sh,bash,zsh shell text/x-shellscript Shell
ps1 powershell text/plain PowerShell
sql sql text/x-sql SQL
diff,patch diff text/x-diff Diff
tex latex text/x-latex LaTeX
proto proto text/plain Protocol Buffers
dockerfile dockerfile text/plain Docker
eml email message/rfc822 Email
"""
_BY_ENDING = _kinds()
_BY_TYPE = {kind.filetype: kind for kind in reversed(_BY_ENDING.values())}
_BINARY = Kind("binary", "application/octet-stream", "Binary", "others")
_TEXT = _BY_TYPE["text"]


def kind_of(name: str) -> Kind:
    """Return what a file of this name is taken for."""
    base = name.rpartition("/")[2].lower()
    return _BY_ENDING.get(base.rpartition(".")[2], _BINARY) if base else _BINARY


def kind_of_type(filetype: str) -> Kind:
    """Return the kind with this filetype, as it is stored or as a client names it for a snippet."""
    return _BY_TYPE.get(filetype) or _BY_ENDING.get(filetype) or (_TEXT if filetype in ("auto", "post") else _BINARY)


def family_of(filetype: str) -> str:
    """Return which of FAMILIES a filetype is of."""
    return kind_of_type(filetype).family


def is_text(head: bytes, *, is_whole: bool) -> bool:
    """Tell whether a file that begins so is text: UTF-8 without zero bytes. `is_whole`: there is no more of it."""
    if b"\0" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        # A character of several bytes may be cut in two where the head ends.
        return not is_whole and error.start >= len(head) - 3
    return True


@dataclass(frozen=True, slots=True)
class Serving:
    """How bytes are given out."""

    content_type: str
    is_inline: bool


_SAVED = Serving("application/octet-stream", is_inline=False)
_SHOWN = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "video/mp4",
        "video/webm",
        "video/quicktime",
        "video/mpeg",
        "audio/mpeg",
        "audio/mp4",
        "audio/ogg",
        "audio/wav",
        "audio/flac",
        "audio/aac",
    }
)
"""What browsers show and never run."""
_ACTIVE = frozenset({"html", "svg", "xml", "javascript", "css", "email", "php"})
"""Text that a browser might run or lay out, were it told so."""


def serving(filetype: str, *, is_download: bool) -> Serving:
    """Return the type that a file is served with, and whether it may be shown in place."""
    kind = kind_of_type(filetype)
    if kind.mimetype in _SHOWN:
        return Serving(kind.mimetype, is_inline=not is_download)
    if kind.filetype == "pdf":
        return Serving(kind.mimetype, is_inline=False)
    if kind.family == "snippets" and kind.filetype not in _ACTIVE:
        return Serving("text/plain; charset=utf-8", is_inline=not is_download)
    return _SAVED
