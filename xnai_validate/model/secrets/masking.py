"""Secrets never reach an event: known ones in every spelling, values under secret names, and credentials in texts."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator
from operator import is_
from urllib.parse import parse_qsl, quote, quote_plus, unquote_plus

from pydantic import JsonValue

from xnai_validate.model.secrets.names import looks_secret
from xnai_validate.model.text import printable

MASK = "***"
CUT = "... ("
"""The beginning of the note after a text that was cut short."""
KEYS_CAP = 4096
"""The number of keys that are remembered as plain."""
LEARNED_CAP = 500
"""Secrets that are remembered from responses; further ones are masked only where they stand under a secret name."""

# Named, because building such a union takes as long as masking a text.
_LISTS = (list, tuple)
_NESTED = (dict, list, tuple)
_NUMBERS = frozenset({int, float, bool, type(None)})
"""Types whose values cannot be secret."""


class Masker:
    """Replaces secrets by `***` in everything that becomes an event."""

    SHORTEST = 4
    """Shorter secrets would mask half of every text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.learned = 0
        """How many secrets were learned from responses; a document that was masked before may hold them still."""
        self._known: list[str] = []
        self._pattern: re.Pattern[str] | None = None
        self._encoded: re.Pattern[str] | None = None
        """The parts of base64 texts that a secret determines."""
        self._secrets: set[str] = set()
        self._plain_keys: set[str] = set()
        """Keys without secrets: those of facts are the same in every check."""
        self._learn_all(secret for secret in secrets if len(secret) >= self.SHORTEST)

    def mask(self, secret: str) -> None:
        """Mask a secret that was found while measuring in all that comes from now on."""
        if secret not in self._secrets and self.learned < LEARNED_CAP and len(secret) >= self.SHORTEST:
            self.learned += 1
            self._learn_all((secret,))
            self._plain_keys.clear()

    def _learn(self, value: str) -> None:
        """Mask the value of a secret name from now on, unless it may be a word of plain text.

        A schema has `"password": "string"`, and that word must stay readable elsewhere.
        """
        if _looks_generated(value):
            self.mask(value)

    def _learn_all(self, secrets: Iterable[str]) -> None:
        """Add secrets and compile the patterns that find all of them, plain and in base64."""
        self._secrets.update(secrets)
        known = {form for secret in self._secrets for form in _forms(secret)}
        encoded = {part for secret in self._secrets for part in _base64_parts(secret)}
        self._known = sorted(known, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(re.escape, self._known))) if known else None
        self._encoded = re.compile("|".join(map(re.escape, sorted(encoded)))) if encoded else None

    def text(self, text: str) -> str:
        """`text` without secrets, userinfo of urls, credentials of Authorization, and values of secret names."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
            if CUT in text:
                text = CUT.join([*map(self._mask_cut_secret, text.split(CUT)[:-1]), text.split(CUT)[-1]])
        if self._encoded is not None and self._encoded.search(text) is not None:
            text = _BASE64.sub(self._mask_base64, text)
        if "@" in text:
            text = _USERINFO.sub(rf"\1{MASK}@", text)
        if "earer " in text or "asic " in text:
            text = _CREDENTIALS.sub(_without_credentials, text)
        if "=" in text:
            text = _PARAMETER.sub(self._mask_parameter, text)
        return _MEMBER.sub(self._mask_member, text) if '":' in text or '" :' in text else text

    def _mask_cut_secret(self, text: str) -> str:
        """Mask the beginning of a secret at the end of a text, which is there if the text was cut within the secret."""
        for secret in self._known:
            # Every place near the end where a secret could begin; it was cut if the text ends before the secret does.
            at = text.find(secret[: self.SHORTEST], max(0, len(text) - len(secret)))
            while at >= 0:
                if secret.startswith(text[at:]):
                    return text[:at] + MASK
                at = text.find(secret[: self.SHORTEST], at + 1)
        return text

    def _mask_base64(self, found: re.Match[str]) -> str:
        """Return the mask for a base64 text that contains a secret, else the text."""
        assert self._encoded is not None
        return MASK if self._encoded.search(found[0]) else found[0]

    def _mask_parameter(self, found: re.Match[str]) -> str:
        """Return a query parameter with its value masked if its name is a secret one; learn the value."""
        before, name, value = found.groups()
        if not looks_secret(unquote_plus(name)):
            return found[0]
        self._learn(unquote_plus(value))
        return f"{before}{name}={MASK}"

    def _mask_member(self, found: re.Match[str]) -> str:
        """Return a member of a JSON text with its value masked if its name is a secret one; learn the value."""
        name, between, value = found.groups()
        if not looks_secret(name) or _is_piece_of_text(name, value):
            return found[0]
        self._learn(value)
        return f'"{name}"{between}"{MASK}"'

    def json(self, value: JsonValue) -> JsonValue:
        """A JSON document without secrets; values under names such as Authorization are masked whole.

        A value without secrets is returned itself, not a copy: a run keeps the facts of all its checks.
        """
        before = self.learned
        masked = self._json(value)
        # What was learned last may stand in what was masked first.
        return masked if self.learned == before else self._json(masked)

    def _json(self, value: JsonValue) -> JsonValue:
        """Return a document without secrets; the same object if it holds none."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            plain = self._plain_keys
            masked = {
                key if key in plain else self._mask_key(key): item
                if type(item) in _NUMBERS
                else self._mask_item(key, item)
                for key, item in value.items()
            }
            return (
                value if _are_identical(masked, value) and _are_identical(masked.values(), value.values()) else masked
            )
        if isinstance(value, _LISTS):
            items = [self._json(item) for item in value]
            return value if isinstance(value, list) and _are_identical(items, value) else items
        return value

    def _mask_key(self, key: str) -> str:
        """Return a key of a mapping with secrets masked; keys without any are remembered."""
        text = self.text(key)
        if text == key and len(self._plain_keys) < KEYS_CAP:
            self._plain_keys.add(key)
        return text

    def _mask_item(self, key: str, item: JsonValue) -> JsonValue:
        """Return an item of a mapping, masked as a whole if its key names a secret."""
        if isinstance(item, str):
            if not item or not looks_secret(key) or _is_piece_of_text(key, item):
                return self.text(item)
            for secret in _within(key, item):
                self._learn(secret)
            return MASK
        return self._json(item) if isinstance(item, _NESTED) else item


def secrets_in_url(url: str) -> Iterator[str]:
    """The values of query parameters with secret names."""
    query = url.partition("?")[2].partition("#")[0]
    return (value for name, value in parse_qsl(query) if looks_secret(name) and value)


def _within(key: str, value: str) -> Iterator[str]:
    """The credentials within a value under a secret name: the value of a cookie, and what follows a scheme."""
    if key.lower().endswith("cookie"):
        for pair in value.split(";"):
            yield pair.partition("=")[2].strip()
    scheme, _, credentials = value.partition(" ")
    yield credentials if scheme.lower() in ("bearer", "basic", "token") else value


def _is_piece_of_text(name: str, value: str) -> bool:
    """Whether a `token` is one that a model wrote: streams have `{"token": " the"}`, logins something generated."""
    return name.lower() == "token" and not _looks_generated(value)


def _looks_generated(secret: str) -> bool:
    """Whether a text is more than a word: long and without spaces, or of letters and digits."""
    if len(secret) < 8 or any(map(str.isspace, secret)):
        return False
    return len(secret) >= 20 or (any(map(str.isdigit, secret)) and any(map(str.isalpha, secret)))


def _are_identical(after: Collection[JsonValue], before: Collection[JsonValue]) -> bool:
    """Whether two collections hold the same objects, so that the original need not be copied."""
    return len(after) == len(before) and all(map(is_, after, before))


def _forms(secret: str) -> set[str]:
    """The secret itself, and its spelling in a url, in JSON and in printable text."""
    quoted = json.dumps(secret, ensure_ascii=False)[1:-1]
    in_urls = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    in_urls |= {_ESCAPE.sub(lambda found: found[0].lower(), form) for form in in_urls}
    return {secret, quoted, printable(secret), printable(quoted), *in_urls}


def _base64_parts(secret: str) -> set[str]:
    """Return the parts of a base64 text that reveal a secret, at each of the three alignments; at least 8 characters.

    Three bytes become four characters, so there are three ways to begin; what depends on the neighbours is left out.
    """
    parts: set[str] = set()
    raw = secret.encode("utf-8", "surrogatepass")
    for offset in range(3):
        begin = -(-offset * 8 // 6)
        end = (offset + len(raw)) * 8 // 6
        part = b64encode(b"\0" * offset + raw).decode()[begin:end]
        if len(part) >= 8:
            parts |= {part, part.translate(_URL_SAFE)}
    return parts


def _without_credentials(found: re.Match[str]) -> str:
    """Mask what follows `Bearer` or `Basic` if it is a credential, not a word: "Basic auth in the url"."""
    scheme, credentials = found.groups()
    if scheme.lower() == "basic":
        try:
            secret = ":" in b64decode(credentials + "=" * (-len(credentials) % 4), validate=True).decode()
        except ValueError:
            secret = False
    else:
        secret = len(credentials) >= 8 and not credentials.isalpha()
    return f"{scheme} {MASK}" if secret else found[0]


_URL_SAFE = str.maketrans("+/", "-_")
_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@]+@")
_CREDENTIALS = re.compile(r"\b(Bearer|bearer|Basic|basic) ([A-Za-z0-9._~+/=-]{4,})")
_PARAMETER = re.compile(r"([?&;])([\w.\[\]%-]{1,100})=([^&#\s\"'<>;]+)", re.ASCII)
"""A parameter in the query of a url, wherever the url stands in a text."""
_MEMBER = re.compile(r'"([^"\\]{1,100})"(\s*:\s*)"((?:[^"\\]|\\.)+)"')
"""A member of a JSON object whose value is a text, in a text that holds JSON."""
