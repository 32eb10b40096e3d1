"""Which names of variables, headers, parameters and fields hold credentials."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PARTS = ("passwd", "password", "passphrase", "secret", "apikey", "credential", "authorization")
"""Such a part makes any name secret, also where its words are not separated."""
_LAST_WORDS = frozenset({"pass", "pwd", "token", "auth", "cookie", "jwt", "signature", "sig", "otp"})
_KEY_OF = frozenset({"api", "access", "private", "secret", "signing", "encryption", "master", "auth", "session"})
"""What a key is of where its value is a credential: `access_key`, but not the key of a mapping."""


@lru_cache(maxsize=4096)
def looks_secret(name: str) -> bool:
    """Whether the value of a variable, header, parameter or field with this name must be masked.

    Reads `access_token`, `accessToken`, `X-Access-Token` and `accesstoken` alike.
    """
    squashed = re.sub(r"[^a-z0-9]", "", name.lower())
    if any(part in squashed for part in _PARTS):
        return True
    words = [word.lower() for word in _WORD.findall(name)]
    if not words:
        return False
    return (
        words[-1] in _LAST_WORDS
        or (words[-1] == "key" and len(words) > 1 and words[-2] in _KEY_OF)
        or squashed.endswith(("authtoken", "accesstoken", "refreshtoken", "accesskey", "privatekey"))
    )
