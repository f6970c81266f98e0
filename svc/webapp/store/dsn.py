"""Where a keyspace is: a DSN, parsed."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Dsn"]


@dataclass(frozen=True, slots=True)
class Dsn:
    """`mysql://user:password@host:port/database`, or `…?unix_socket=/path`; parts are percent-decoded."""

    host: str
    port: int
    user: str
    password: str
    database: str
    unix_socket: str = ""

    @classmethod
    def parse(cls, text: str) -> Dsn:
        """Return the parts. Raises ValueError saying what is missing, without the password."""
        parts = urlsplit(text)
        database = parts.path.strip("/")
        if parts.scheme != "mysql" or not (parts.hostname or parts.query) or not database:
            raise ValueError("a DSN is mysql://user:password@host:port/database")
        return cls(
            host=parts.hostname or "localhost",
            port=parts.port or 3306,
            user=unquote(parts.username or "root"),
            password=unquote(parts.password or ""),
            database=unquote(database),
            unix_socket=parse_qs(parts.query).get("unix_socket", [""])[0],
        )

    def __repr__(self) -> str:
        """Name the place, never the password."""
        return f"mysql://{self.user}@{self.unix_socket or f'{self.host}:{self.port}'}/{self.database}"
