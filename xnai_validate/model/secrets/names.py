"""Which names of variables, headers, parameters and fields hold credentials."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PARTS = ("passwd", "password", "passphrase", "passcode", "secret", "apikey", "credential", "authorization")
"""Such a part makes any name secret, also where its words are not separated."""
_LAST_WORDS = frozenset(
    {"pass", "pwd", "pw", "token", "auth", "cookie", "cookies", "jwt", "signature", "sig", "otp", "totp", "bearer"}
)
_KEY_OF = frozenset({"access", "account", "api", "auth", "client", "consumer", "encryption", "function", "functions"})
_KEY_OF |= {"license", "master", "private", "secret", "session", "shared", "signing", "ssh", "subscription"}
"""What a key is of where its value is a credential: `access_key`, but not the key of a mapping."""
_TOKENS_OF = frozenset({"api", "access", "auth", "bearer", "refresh", "session"})
"""What tokens are of where they are credentials: `api_tokens`, but not the tokens of a model."""
_ENDS = ("token", "jwt", "pwd", "sessid", "jsessionid", "connectsid", *(f"{of}key" for of in sorted(_KEY_OF)))
"""The same where words are not separated: `csrftoken`, `PHPSESSID`, `masterkey`."""
_PASS = re.compile(r"(?:db|user|smtp|mail|ftp|admin|root|login|redis|sql|my|pg|http|basic|require)pass|masterauth")
_NUMBER = re.compile(r"(?:\d+|v)")
"""A word that counts names: `token2`, `API_TOKEN_V2`."""
HARMLESS = frozenset({"true", "false", "null", "none", "unset", "keep"})
"""Values that are not credentials under any name."""
_NUMBERS = re.compile(r"(?:.*(?:password|passwd|passphrase|passcode|secret)|pwd|otp|totp|pin|pincode)")
"""Names under which a number is a credential."""


def looks_generated(secret: str) -> bool:
    """Whether a text is more than a word: long and without spaces, or of letters and digits."""
    if len(secret) < 8 or any(map(str.isspace, secret)):
        return False
    return len(secret) >= 20 or (any(map(str.isdigit, secret)) and any(map(str.isalpha, secret)))


@lru_cache(maxsize=4096)
def holds_secret_number(name: str, *, is_input: bool = False) -> bool:
    """Whether a number under this name is a credential, such as a PIN: most numbers under secret names are counts.

    `is_input`: whether it stands in a document written for the tool, where `pass` is short for password; in the
    documents of servers and reports it counts what passed.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    return bool(words) and (_NUMBERS.fullmatch(words[-1]) is not None or (is_input and words[-1] == "pass"))


@lru_cache(maxsize=4096)
def looks_secret(name: str) -> bool:
    """Whether the value of a variable, header, parameter or field with this name must be masked.

    Reads `access_token`, `accessToken`, `X-Access-Token`, `accesstoken` and `ACCESS_TOKEN_2` alike. The value of
    `password_env` is the name of a variable.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if words[-1:] == ["env"]:
        return False
    if any(part in "".join(words) for part in _PARTS):
        return True
    while words and _NUMBER.fullmatch(words[-1]):
        words.pop()
    if not words:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    return (
        last in _LAST_WORDS
        or (last == "key" and before in _KEY_OF)
        or (last == "tokens" and before in _TOKENS_OF)
        or "".join(words).endswith(_ENDS)
        or _PASS.fullmatch(last) is not None
    )
