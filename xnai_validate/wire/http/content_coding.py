"""Undoing content codings (RFC 9110 section 8.4) within a bound: gzip, deflate and, as extras, brotli and zstd."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.wire.failure import WireError

ACCEPT_ENCODING = "gzip, deflate"
"""What is asked for unless a check asks for something else."""
GZIP_MAGIC = b"\x1f\x8b"
_ZERO = re.compile(r"q\s*=\s*0(?:\.0*)?")
PIECE = 256 * 1024
"""Bytes that one step of decompression yields at most, whatever it was fed."""


class Decoder(Protocol):
    """Undoes one coding in pieces: a small body never becomes large at once."""

    @property
    def waiting(self) -> bool:
        """Whether fed bytes are still to be decoded: call `take` again before feeding more."""

    def feed(self, data: bytes) -> None:
        """Add encoded bytes; only where none wait."""

    def take(self) -> bytes:
        """The next piece of content, at most about 256 KiB. Raises WireError (protocol)."""

    def finish(self) -> bytes:
        """The rest, at the end of the body. Raises WireError (protocol) where the encoded data was cut."""


class _Inflating(Protocol):
    """What `zlib.decompressobj` returns: the type itself has no public name."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    @property
    def unconsumed_tail(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...

    def flush(self) -> bytes: ...


class Inflater:
    """Undoes `gzip` and `deflate` (RFC 9110 section 8.4.1) in pieces: a small body never becomes large at once."""

    def __init__(self, coding: str) -> None:
        self._raw_allowed = coding == "deflate"
        self._gzip = coding == "gzip"
        self._zlib: _Inflating = self._new_decompressor()
        self._waiting = b""
        self._fed = False

    def _new_decompressor(self) -> _Inflating:
        """Return a decompressor of zlib for gzip or deflate."""
        return zlib.decompressobj(zlib.MAX_WBITS | (16 if self._gzip else 0))

    @property
    def waiting(self) -> bool:
        """Whether fed bytes are still to be decompressed: call `take` again before feeding more."""
        return bool(self._waiting)

    def feed(self, data: bytes) -> None:
        """Add compressed bytes; only where none wait."""
        self._waiting += data
        self._fed = self._fed or bool(data)

    def take(self) -> bytes:
        """The next piece of content, at most 256 KiB; raises WireError (protocol) where the data is no such coding.

        Several gzip members after one another are one content (RFC 1952 section 2.2); anything else after the end is
        an error, and not kept: a server could go on with it for ever.
        """
        data, self._waiting = self._waiting, b""
        if self._zlib.eof and data:
            if not (self._gzip and GZIP_MAGIC.startswith(data[:2])):
                raise WireError(ErrorKind.PROTOCOL, "the body cannot be decompressed: it goes on after its end")
            self._zlib = self._new_decompressor()
        try:
            piece = self._zlib.decompress(data, PIECE)
        except zlib.error as error:
            if not self._raw_allowed:
                raise WireError(ErrorKind.PROTOCOL, f"the body cannot be decompressed: {error}") from error
            # RFC 9110 wants the zlib format; many servers send a bare deflate stream, and every client takes it.
            self._raw_allowed = False
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
            self._waiting = data
            return self.take()
        self._raw_allowed = False
        self._waiting = self._zlib.unused_data or self._zlib.unconsumed_tail
        return piece

    def finish(self) -> bytes:
        """The rest, at the end of the body; raises WireError (protocol) where the compressed stream was cut."""
        rest = self._zlib.flush()
        if self._fed and not self._zlib.eof:
            raise WireError(ErrorKind.PROTOCOL, "the body cannot be decompressed: it ends too early")
        return rest


class BrotliDecoder:
    """Undoes `br` (RFC 7932) by the package brotli."""

    def __init__(self, brotli: Any) -> None:
        self._error = brotli.error
        self._decompressor = brotli.Decompressor()
        self._data = b""
        self._fed = False

    @property
    def waiting(self) -> bool:
        """Whether fed bytes are still to be decoded."""
        return bool(self._data) or not self._decompressor.can_accept_more_data()

    def feed(self, data: bytes) -> None:
        """Add encoded bytes."""
        self._data = data
        self._fed = self._fed or bool(data)

    def take(self) -> bytes:
        """The next piece of content. Raises WireError (protocol)."""
        data, self._data = self._data, b""
        if self._decompressor.is_finished() and data:
            raise _undecodable_error("it goes on after its end")
        try:
            return bytes(self._decompressor.process(data, output_buffer_limit=PIECE))
        except self._error as error:
            raise _undecodable_error(str(error)) from error

    def finish(self) -> bytes:
        """Raise WireError (protocol) where the data was cut."""
        if self._fed and not self._decompressor.is_finished():
            raise _undecodable_error("it ends too early")
        return b""


class ZstdDecoder:
    """Undoes `zstd` (RFC 8878) by the standard library of Python 3.14 or its backport."""

    def __init__(self, zstd: Any) -> None:
        self._zstd_decoder = zstd
        self._decompressor = zstd.ZstdDecompressor()
        self._data = b""
        self._fed = False

    @property
    def waiting(self) -> bool:
        """Whether fed bytes are still to be decoded."""
        return bool(self._data) or not (self._decompressor.eof or self._decompressor.needs_input)

    def feed(self, data: bytes) -> None:
        """Add encoded bytes."""
        self._data = data
        self._fed = self._fed or bool(data)

    def take(self) -> bytes:
        """The next piece of content. Raises WireError (protocol)."""
        data, self._data = self._data, b""
        if self._decompressor.eof:
            if not data:
                return b""
            self._decompressor = (
                self._zstd_decoder.ZstdDecompressor()
            )  # frames may follow one another (RFC 8878 section 3)
        try:
            piece = bytes(self._decompressor.decompress(data, PIECE))
        except self._zstd_decoder.ZstdError as error:
            raise _undecodable_error(str(error)) from error
        self._data = self._decompressor.unused_data
        return piece

    def finish(self) -> bytes:
        """Raise WireError (protocol) where the data was cut."""
        if self._fed and not self._decompressor.eof:
            raise _undecodable_error("it ends too early")
        return b""


class UnknownCoding:
    """Stands for a coding that cannot be undone; raises a WireError that names it as soon as there is a body."""

    waiting = False

    def __init__(self, why: str) -> None:
        self._why = why

    def feed(self, data: bytes) -> None:
        """Raise WireError (protocol) for any byte."""
        if data:
            raise WireError(ErrorKind.PROTOCOL, self._why)

    def take(self) -> bytes:
        """No content."""
        return b""

    def finish(self) -> bytes:
        """No content."""
        return b""


def decoder(headers: Mapping[str, str], accepted: str = ACCEPT_ENCODING) -> Decoder | None:
    """Return a decoder for the `Content-Encoding` of these headers (names in lower case), or None without one.

    `accepted` is the request's `Accept-Encoding`: a coding that it does not name is an error of the server.
    """
    coding = headers.get("content-encoding", "").strip().lower().removeprefix("x-")
    if coding in ("", "identity"):
        return None
    if not _is_accepted(coding, accepted):
        return UnknownCoding(f"the body has the content coding {coding[:80]}, which the request did not accept")
    if coding in ("gzip", "deflate"):
        return Inflater(coding)
    if coding == "br":
        return _brotli_decoder()
    if coding == "zstd":
        return _zstd_decoder()
    return UnknownCoding(f"the body has the content coding {coding[:80]}, which this tool cannot decode")


def _is_accepted(coding: str, accepted: str) -> bool:
    """Whether an `Accept-Encoding` names the coding, or all, with another weight than 0 (RFC 9110 section 12.5.3)."""
    names = set()
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if not _ZERO.fullmatch(weight.strip()):
            names.add(name.strip().removeprefix("x-"))
    return coding in names or "*" in names


def _brotli_decoder() -> Decoder:
    """Return a decoder of brotli; one that refuses the body if no library is installed."""
    module = _first_of("brotli")
    if module is None:
        return UnknownCoding("the body has the content coding br: pip install 'xnai-validate[brotli]'")
    return BrotliDecoder(module)


def _zstd_decoder() -> Decoder:
    """Return a decoder of zstd; one that refuses the body if no library is installed."""
    module = _first_of("compression.zstd", "backports.zstd")
    if module is None:
        return UnknownCoding("the body has the content coding zstd: pip install 'xnai-validate[zstd]'")
    return ZstdDecoder(module)


def _first_of(*names: str) -> ModuleType | None:
    """The first of these modules that is installed: they are extras, and typed poorly or not at all."""
    for name in names:
        with suppress(ImportError):
            return import_module(name)
    return None


def _undecodable_error(why: str) -> WireError:
    """Return the error for a body that cannot be decompressed."""
    return WireError(ErrorKind.PROTOCOL, f"the body cannot be decompressed: {why}")
