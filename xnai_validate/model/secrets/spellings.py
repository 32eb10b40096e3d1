"""The spellings of a known secret: in urls, in JSON, in HTML, and within base64."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from html import escape
from urllib.parse import quote, quote_plus

from xnai_validate.model.text import printable

_URL_SAFE = str.maketrans("+/", "-_")
_ESCAPE = re.compile(r"%[0-9A-F]{2}")


def forms_of(secret: str) -> set[str]:
    """The secret itself, and its spelling in a url, in JSON and in printable text."""
    quoted = json.dumps(secret, ensure_ascii=False)[1:-1]
    ascii_only = json.dumps(secret)[1:-1]
    in_json = {quoted, ascii_only, quoted.replace("/", "\\/"), ascii_only.replace("/", "\\/")}
    in_html = escape(secret)
    in_html_by_number = in_html.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    in_urls = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    in_urls |= {_ESCAPE.sub(lambda found: found[0].lower(), form) for form in in_urls}
    return {secret, *in_json, printable(secret), printable(quoted), in_html, in_html_by_number, *in_urls}


def expression_of(form: str) -> str:
    """Return the expression for a form of a secret; hexadecimal digits of a url may be in either case."""
    return _ESCAPE.sub(
        lambda found: "".join(f"[{digit}{digit.lower()}]" if digit.isalpha() else digit for digit in found[0]),
        re.escape(form),
    )


def base64_parts(secret: str) -> set[str]:
    """Return the parts of a base64 text that depend on a secret alone, one for each of the three byte alignments.

    Three bytes become four characters, so a secret has three alignments; characters that also encode neighbouring bytes
    are left out, and so are parts of fewer than 8 characters.
    """
    parts: set[str] = set()
    raw = secret.encode("utf-8", "surrogatepass")
    for offset in range(3):
        begin = -(-offset * 8 // 6)  # rounded up
        end = (offset + len(raw)) * 8 // 6
        part = b64encode(b"\0" * offset + raw).decode()[begin:end]
        if len(part) >= 8:
            parts |= {part, part.translate(_URL_SAFE)}
    return parts
