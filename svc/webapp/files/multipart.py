"""A multipart form read as it comes: the bytes of its one file are handed on, its fields are kept. Pure.

Whatever else parses forms here has the whole body in memory, or writes files of its own.
"""

from __future__ import annotations

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

__all__ = ["FormBroken", "FormReader", "boundary_of"]

FIELDS_MAX = 100
FILE_FIELDS = frozenset({b"body", b"file", b"filename"})
"""What clients call the part that has the bytes: Node's `body`, everybody's `file`."""


class FormBroken(Exception):
    """It is no form, it ends too early, or its fields are too many or too long."""


def boundary_of(content_type: str) -> bytes:
    """Return the boundary of a multipart form; b"" when the type says that it is something else."""
    media_type, options = parse_options_header(content_type)
    return options.get(b"boundary", b"") if media_type.lower() == b"multipart/form-data" else b""


class FormReader:
    """Fed with the body's pieces, gives the file's.

    The file is the first part that has a file's name; with `is_bare`, for forms that have nothing else to say, also one
    that is called as FILE_FIELDS has it.
    """

    def __init__(self, boundary: bytes, fields_bytes_max: int, *, is_bare: bool = False) -> None:
        self.fields: dict[str, str] = {}
        self.has_file = False
        self.filename = ""
        self._is_bare = is_bare
        self._bytes_left = fields_bytes_max
        self._fields_left = FIELDS_MAX
        self._headers: dict[bytes, bytes] = {}
        self._name, self._header, self._value = b"", b"", b""
        self._field = bytearray()
        self._is_in_file = False
        self._out: list[bytes] = []
        self._is_over = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._over,
                },
            )
        except FormParserError as error:
            raise FormBroken(str(error)) from error

    def feed(self, data: bytes) -> list[bytes]:
        """Take a piece of the body; return what of it is the file's. Raises FormBroken."""
        self._out = []
        try:
            self._parser.write(data)
        except (FormParserError, ValueError) as error:
            raise FormBroken(f"the form cannot be read: {error}") from error
        return self._out

    def finish(self) -> None:
        """The body is over. Raises FormBroken when the form is not."""
        if not self._is_over:
            raise FormBroken("the form does not end with its boundary")

    def _begin(self) -> None:
        self._headers, self._header, self._value = {}, b"", b""
        self._field = bytearray()
        self._is_in_file = False

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.lower()] = self._value
        self._header, self._value = b"", b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"")
        is_called_so = self._is_bare and self._name in FILE_FIELDS
        self._is_in_file = not self.has_file and (b"filename" in options or is_called_so)
        if self._is_in_file:
            self.has_file = True
            self.filename = options.get(b"filename", b"").decode(errors="replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_in_file:
            self._out.append(bytes(data[start:end]))
            return
        self._bytes_left -= end - start
        if self._bytes_left < 0:
            raise ValueError("its fields are too long")
        self._field += data[start:end]

    def _end(self) -> None:
        if self._is_in_file:
            return
        self._fields_left -= 1
        if self._fields_left < 0:
            raise ValueError(f"it has more than {FIELDS_MAX} fields")
        if self._name:
            self.fields[self._name.decode(errors="replace")] = self._field.decode(errors="replace")

    def _over(self) -> None:
        self._is_over = True
