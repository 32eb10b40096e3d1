"""A secret in every spelling in which a log or a page may have it."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus


def spellings(secret: str) -> frozenset[str]:
    """Return the secret plain, in base64 at each alignment, percent-encoded, and as JSON, HTML and Python write it."""
    raw = secret.encode()
    in_base64 = {
        encode(b"x" * before + raw).decode()[2 + before :].rstrip("=")[:-3]
        for encode in (b64encode, urlsafe_b64encode)
        for before in range(3)
    }
    in_urls = {quote(secret), quote(secret, safe=""), quote_plus(secret), "".join(f"%{byte:02x}" for byte in raw)}
    in_json = json.dumps(secret)[1:-1]
    in_texts = {in_json, repr(in_json)[1:-1], html.escape(secret), repr(secret)[1:-1], repr(raw)[2:-1], raw.hex()}
    return frozenset({secret, *in_base64, *in_urls, *in_texts, *(text.lower() for text in in_urls)})


def found(secret: str, text: str) -> list[str]:
    """Return the spellings of a secret that a text has."""
    return sorted(spelling for spelling in spellings(secret) if spelling in text)
