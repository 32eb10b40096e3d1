"""Secrets never reach an event: known ones in every spelling, values under secret names, and credentials in texts."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Collection, Iterable, Sequence
from operator import is_
from urllib.parse import quote, unquote_plus

from pydantic import JsonValue

from xnai_validate.model.secrets.credentials import credentials_within
from xnai_validate.model.secrets.forms import is_generated_value, spans_by_form
from xnai_validate.model.secrets.names import holds_secret_number, looks_generated, looks_secret
from xnai_validate.model.secrets.spellings import base64_parts, expression_of, forms_of

MASK = "***"
CUT = "... ("
"""The beginning of the note after a text that was cut short."""
KEYS_CAP = 4096
"""The number of keys that are remembered as plain."""
LEARNED_CAP = 500
"""Secrets that are remembered from responses; further ones are masked only where they stand under a secret name."""
LEARNED_SIZE_CAP = 4096
"""Longer values are not remembered: no credential is, and looking for them takes long."""

# Named, because building such a union takes as long as masking a text.
_LISTS = (list, tuple)
_NESTED = (dict, list, tuple)
_NUMBERS = frozenset({int, float, bool, type(None)})
"""Types whose values are secret only where the name is that of a number, such as a PIN."""
DEPTH_CAP = 4
"""How many times a part of a url is decoded."""
_NAMES = ("name", "key", "header")
"""Members that hold the name of a credential, whose value is the member `value` beside it."""
_OF_REDIS = frozenset({"requirepass", "masterauth"})
"""Settings of Redis, whose values follow them in a list."""
_VALUES = frozenset({"value", "key", "raw"})
"""Members that hold the credential where a mapping stands under a secret name."""


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
        if len(value) <= LEARNED_SIZE_CAP and looks_generated(value):
            self.mask(value)

    def _learn_all(self, secrets: Iterable[str]) -> None:
        """Add secrets and compile the patterns that find all of them, plain and in base64."""
        self._secrets.update(secrets)
        known = {form for secret in self._secrets for form in forms_of(secret)}
        encoded = {part for secret in self._secrets for part in base64_parts(secret)}
        self._known = sorted(known, key=lambda form: (-len(form), form))
        self._pattern = re.compile("|".join(map(expression_of, self._known))) if known else None
        self._encoded = re.compile("|".join(map(re.escape, sorted(encoded)))) if encoded else None

    def text(self, text: str) -> str:
        """`text` without secrets, userinfo of urls, credentials of Authorization, and values of secret names."""
        return self._text(text, 0)

    def _text(self, text: str, depth: int) -> str:
        """Return a text without secrets, which has been decoded from another `depth` times."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
            if CUT in text:
                text = CUT.join([*map(self._mask_cut_secret, text.split(CUT)[:-1]), text.split(CUT)[-1]])
        if self._encoded is not None and self._encoded.search(text) is not None:
            text = _BASE64.sub(self._mask_base64, text)
        if "@" in text:
            text = _USERINFO.sub(rf"\1{MASK}@", text)
        if _SCHEME.search(text) is not None:
            text = _CREDENTIALS.sub(_without_credentials, text)
        text = self._mask_by_form(text)
        if "=" in text or ":" in text:
            text = self._mask_assigned(text)
        if '":' in text or '" :' in text:
            text = _LIST_MEMBER.sub(self._mask_list_member, _MEMBER.sub(self._mask_member, text))
            if '\\"' in text:
                text = _ESCAPED_MEMBER.sub(self._mask_escaped_member, text)
        if depth < DEPTH_CAP and "%" in text and _ENCODED_SIGN.search(text) is not None:
            text = _ENCODED.sub(lambda found: self._mask_encoded(found[0], depth), text)
        return text

    def _mask_by_form(self, text: str) -> str:
        """Return a text without the credentials that their form shows; learn them."""
        pieces: list[str] = []
        begin = 0
        for first, last in spans_by_form(text):
            if text[first:last] != MASK:
                self._learn(text[first:last])
                pieces += (text[begin:first], MASK)
                begin = last
        return "".join((*pieces, text[begin:])) if pieces else text

    def _mask_encoded(self, encoded: str, depth: int) -> str:
        """Return a part of a url that has a url, a form or JSON in it, percent-encoded, without secrets."""
        if _ENCODED_SIGN.search(encoded) is None:
            return encoded
        decoded = unquote_plus(encoded)
        masked = self._text(decoded, depth + 1)
        return encoded if masked == decoded else quote(masked, safe="*" + _ESCAPES.sub("", encoded))

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

    def _mask_assigned(self, text: str) -> str:
        """Return a text in which the values of secret names are masked: `?token=x`, `PASSWORD=x`, `X-Auth: x`.

        In a query or form any value is masked, elsewhere what looks generated: "password: required" is plain text.
        Masked values are learned.
        """
        pieces: list[str] = []
        begin = 0
        for found in _ASSIGNED.finditer(text):
            name, sign = found.groups()
            before = text[found.start() - 1 : found.start()]
            if found.start() < begin or not looks_secret(unquote_plus(name)):
                continue
            value = (_QUERY_VALUE if sign == "=" else _LINE_VALUE).match(text, found.end())
            if value is None:
                continue
            plain = unquote_plus(value[1])
            is_form = sign == "=" and (before in _IN_QUERY or (not before and " " not in text))
            if is_form or looks_generated(plain):
                self._learn(plain)
                pieces += (text[begin : value.start(1)], MASK)
                begin = value.end(1)
        return "".join((*pieces, text[begin:])) if pieces else text

    def _mask_member(self, found: re.Match[str]) -> str:
        """Return a member of a JSON text with its value masked if its name is a secret one; learn the value."""
        name, between, value, number = found.groups()
        if number is not None:
            return f'"{name}"{between}"{MASK}"' if self._is_secret_number(name, number) else found[0]
        if not looks_secret(name) or _is_piece_of_text(name, value):
            return found[0]
        self._learn(value)
        return f'"{name}"{between}"{MASK}"'

    def _mask_list_member(self, found: re.Match[str]) -> str:
        """Return a member whose value is a list of texts, with the texts masked if its name is a secret one."""
        before, name, texts, after = found.groups()
        if not looks_secret(name):
            return found[0]
        return f"{before}{_TEXT.sub(lambda each: self._mask_listed(name, each[1]), texts)}{after}"

    def _mask_listed(self, name: str, value: str) -> str:
        """Return a text of a list, masked and in quotes, and learn it. `name`: the secret name of the list."""
        if not value or _is_piece_of_text(name, value):
            return f'"{value}"'
        self._learn(value)
        return f'"{MASK}"'

    def _mask_escaped_member(self, found: re.Match[str]) -> str:
        """Return a member of a JSON text within a JSON text, with its value masked if its name is a secret one."""
        before, name, value, after = found.group("before", "name", "value", "after")
        if not looks_secret(name) or _is_piece_of_text(name, value):
            return found[0]
        self._learn(value)
        return f"{before}{MASK}{after}"

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
                if type(item) in _NUMBERS and not (type(item) is int and self._is_secret_number(key, str(item)))
                else self._mask_item(key, item)
                for key, item in value.items()
            }
            if (name := _secret_name_in(value)) is not None:
                masked["value"] = self._mask_item(name, value["value"])
            return (
                value if _are_identical(masked, value) and _are_identical(masked.values(), value.values()) else masked
            )
        if isinstance(value, _LISTS):
            items = [
                self._mask_item(str(value[at - 1]), item)
                if at and isinstance(item, str) and _is_name_of_next(value, at - 1)
                else self._json(item)
                for at, item in enumerate(value)
            ]
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
            for secret in credentials_within(key, item):
                self._learn(secret)
            return MASK
        if isinstance(item, _NESTED):
            return self._mask_nested(key, item) if looks_secret(key) else self._json(item)
        return MASK if type(item) is int and self._is_secret_number(key, str(item)) else item

    def _is_secret_number(self, name: str, digits: str) -> bool:
        """Whether a number under a name is a credential: by its name, or because this credential is known."""
        return holds_secret_number(name) or (digits in self._secrets and looks_secret(name))

    def _mask_nested(self, key: str, item: JsonValue) -> JsonValue:
        """Return what stands under a secret name: of a list all texts are masked, of a mapping its value."""
        if isinstance(item, dict):
            masked = self._json(item)
            held = {name: self._mask_item(key, item[name]) for name in _VALUES & item.keys()}
            return {**masked, **held} if held and isinstance(masked, dict) else masked
        if isinstance(item, _LISTS):
            items = [self._mask_item(key, each) if isinstance(each, str) else self._json(each) for each in item]
            return item if isinstance(item, list) and _are_identical(items, item) else items
        return item


def _secret_name_in(value: dict[str, JsonValue]) -> str | None:
    """Return the secret name in a pair of a name and its value, as lists of variables and headers have them."""
    if not isinstance(value.get("value"), str):
        return None
    names = (value.get(key) for key in _NAMES)
    return next((name for name in names if isinstance(name, str) and looks_secret(name)), None)


def _is_name_of_next(items: Sequence[JsonValue], at: int) -> bool:
    """Whether an item names the next one: an option of a command, or one of pairs, as headers and hashes are listed."""
    name = items[at]
    if not isinstance(name, str) or "=" in name or not looks_secret(name):
        return False
    if name.startswith("-") or name in _OF_REDIS:
        return True
    return at % 2 == 0 and len(items) % 2 == 0 and is_generated_value(str(items[at + 1]))


def _is_piece_of_text(name: str, value: str) -> bool:
    """Whether a `token` is one that a model wrote: streams have `{"token": " the"}`, logins something generated."""
    return name.lower() == "token" and not looks_generated(value)


def _are_identical(after: Collection[JsonValue], before: Collection[JsonValue]) -> bool:
    """Whether two collections hold the same objects, so that the original need not be copied."""
    return len(after) == len(before) and all(map(is_, after, before))


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


_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_ENCODED_SIGN = re.compile(r"%(?:25){0,3}(?:3[AaDd]|22)")
"""A colon, an equals sign or a quote of what is percent-encoded, also several times."""
_ENCODED = re.compile(r"(?<![^\s\"'<>&;=?#{}\\,|])[^\s\"'<>&;=?#{}\\,|%]*+%[^\s\"'<>&;=?#{}\\,|]*+")
"""A part of a url with an escape, such as the value of a parameter."""
_ESCAPES = re.compile(r"%[0-9A-Fa-f]{2}")
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}://)[^/\s\"'<>]+@")
_SCHEME = re.compile(r"(?:bearer|basic) ", re.IGNORECASE)
_CREDENTIALS = re.compile(r"\b(bearer|basic) ([A-Za-z0-9._~+/=-]{4,})", re.IGNORECASE)
_IN_QUERY = frozenset("?&;#")
"""What stands before a parameter in a query or a form."""
_ASSIGNED = re.compile(r"(?<![\w.\[\]%-])([\w.\[\]%-]{1,100})'?([=:])", re.ASCII)
"""A name and what stands before its value: in a query or form, a variable, a header, or a document in YAML."""
_QUERY_VALUE = re.compile(r"'?([^&#\s\"'<>;]+)")
_LINE_VALUE = re.compile(r" ?'?(?:(?:bearer|basic|token|apikey|negotiate) )?([^\s\"'<>,;&]+)", re.IGNORECASE)
_MEMBER = re.compile(r'"([^"\\]{1,100})"(\s*:\s*)(?:"((?:[^"\\]|\\.)+)"|(\d+)(?![\d.eE]))')
"""A member of a JSON object whose value is a text or a number, in a text that holds JSON."""
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
_LIST_MEMBER = re.compile(r'("([^"\\]{1,100})"\s*:\s*\[\s*)("(?:[^"\\]|\\.)*"(?:\s*,\s*"(?:[^"\\]|\\.)*")*)(\s*\])')
"""A member of a JSON object whose value is a list of texts."""
_ESCAPED_MEMBER = re.compile(
    r"(?<!\\)"  # only at the first of many backslashes: trying each would take a time that grows as their square
    r'(?P<before>(?P<quote>\\+")(?P<name>[^"\\]{1,100})(?P=quote)\s*:\s*(?P=quote))(?P<value>[^"\\]+)(?P<after>(?P=quote))'
)
"""A member within a JSON text that is itself the value of a member: its quotes are escaped."""
