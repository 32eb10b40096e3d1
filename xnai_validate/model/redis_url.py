"""Urls of Redis servers, `redis://user:password@host:port/db?option=value`: every part is followed or refused.

The forms and options are those of redis-py, ioredis and the IANA registration:
https://www.iana.org/assignments/uri-schemes/prov/redis
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from xnai_validate.model.target import Tls

SCHEMES = ("redis", "rediss")
"""Schemes of Redis: plain TCP, and TLS."""
DEFAULT_PORT = 6379

_FORM = "redis://HOST:PORT/DB, or rediss:// for TLS"
_FILES = {"ssl_ca_certs": "ca", "ssl_certfile": "cert", "ssl_keyfile": "key"}
"""Option of redis-py -> the field of `tls` that it sets."""
_VERIFIED = {"required": True, "none": False}


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """The parts of a url. The port defaults to 6379; without a database, clients take 0."""

    host: str
    port: int = DEFAULT_PORT
    secure: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    db: int | None = None
    tls: tuple[tuple[str, str | bool], ...] = ()
    """Fields of `Tls` that options of the url set, with their values."""

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a url. Raises ValueError, in words that never quote a password, for what cannot be followed."""
        try:
            parts = urlsplit(url)
            port = DEFAULT_PORT if parts.port is None else parts.port
        except ValueError:  # its words may be a part of the password
            raise ValueError(f"it is malformed: write {_FORM}") from None
        if parts.scheme not in SCHEMES or not parts.hostname:
            raise ValueError(f"it is not one of Redis: write {_FORM}")
        if parts.fragment:
            raise ValueError("a url of Redis has no fragment (#)")
        options = parse_qsl(parts.query, keep_blank_values=True)
        names = [name for name, _ in options]
        if repeated := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"the option {repeated[0]} is given twice")
        path = parts.path.strip("/")
        db, tls = _parse_database(path) if path else None, {}
        for name, value in options:
            if name == "db":
                if path:
                    raise ValueError("the database is given twice: in the path and as an option")
                db = _parse_database(value)
            elif parts.scheme == "rediss":
                tls[_tls_field(name)] = _tls_value(name, value)
            else:
                raise ValueError(f"the option {name} is not followed: {_suggest_setting(name)}")
        return cls(
            host=parts.hostname,
            port=port,
            secure=parts.scheme == "rediss",
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            db=db,
            tls=tuple(tls.items()),
        )

    def merged(self, tls: Tls) -> Tls:
        """The TLS settings of a target with those of the url, which are the more specific ones."""
        return replace(tls, **dict(self.tls))  # type: ignore[arg-type]  # names and types are those of `_FILES`

    @property
    def plain(self) -> str:
        """The url without password and options, which then are fields of the target."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{quote(self.username, safe='')}@" if self.username else ""
        return f"redis{'s' if self.secure else ''}://{user}{host}:{self.port}" + (
            "" if self.db is None else f"/{self.db}"
        )


def _parse_database(text: str) -> int:
    """Parse the number of a database. Raises ValueError."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError(f"the database {text[:40]!r} is not a number: write {_FORM}")
    return int(text)


def _tls_field(name: str) -> str:
    """Return the field of `Tls` that an option of the url sets. Raises ValueError for an unknown option."""
    if name == "ssl_cert_reqs":
        return "verify"
    if name not in _FILES:
        raise ValueError(f"the option {name} is not followed: {_suggest_setting(name)}")
    return _FILES[name]


def _tls_value(name: str, value: str) -> str | bool:
    """Return the value of a TLS option. Raises ValueError for an unknown value of ssl_cert_reqs."""
    if name != "ssl_cert_reqs":
        return value
    if value not in _VERIFIED:
        raise ValueError(f"ssl_cert_reqs is {' or '.join(_VERIFIED)} here, not {value[:40]!r}")
    return _VERIFIED[value]


def _suggest_setting(name: str) -> str:
    """Suggest what to write instead of an option that is not followed."""
    if name.startswith("ssl_"):
        return "write rediss:// and set `tls` of the target"
    if name in ("username", "password"):
        return "write redis://USER:PASSWORD@HOST, or set `password_env` of the target"
    return "a url of Redis may have db, and ssl_cert_reqs, ssl_ca_certs, ssl_certfile, ssl_keyfile with rediss://"
