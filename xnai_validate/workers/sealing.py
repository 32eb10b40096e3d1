"""Orders as ciphertext that only the worker they are for can read.

Dask writes each message, with the arguments of calls, into the logs of the scheduler and of the worker at debug level.
"""

from __future__ import annotations

import json
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from xnai_validate.kit import JsonObject

KEY_BYTES = 32
"""The size of a public key, and of the key of the cipher."""
NONCE = bytes(12)
"""Always the same: each order has a key of its own (RFC 8439 section 2.8 wants no pair of key and nonce twice)."""


def public_key() -> bytes:
    """Return the public key of this process, 32 bytes (X25519, RFC 7748)."""
    return _private_key().public_key().public_bytes_raw()


@cache
def _private_key() -> X25519PrivateKey:
    """Return the private key of this process, which never leaves it."""
    return X25519PrivateKey.generate()


def seal(order: JsonObject, key: bytes) -> bytes:
    """Encrypt an order, as plain data, for the process that has this public key.

    The result begins with the public key of a pair that is made for this order alone.
    """
    pair = X25519PrivateKey.generate()
    own = pair.public_key().public_bytes_raw()
    shared = pair.exchange(X25519PublicKey.from_public_bytes(key))
    return own + _cipher(shared, own + key).encrypt(NONCE, json.dumps(order).encode(), None)


def unseal(sealed: bytes) -> JsonObject:
    """Return an order that was sealed for this process. Raises ValueError for anything else."""
    theirs = sealed[:KEY_BYTES]
    shared = _private_key().exchange(X25519PublicKey.from_public_bytes(theirs))
    try:
        text = _cipher(shared, theirs + public_key()).decrypt(NONCE, sealed[KEY_BYTES:], None)
    except InvalidTag:
        raise ValueError("it was sealed for another process") from None
    order: JsonObject = json.loads(text)
    return order


def _cipher(shared: bytes, public_keys: bytes) -> ChaCha20Poly1305:
    """Return the cipher of one order: its key is derived from the shared secret and both public keys (RFC 5869)."""
    derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=public_keys).derive(shared)
    return ChaCha20Poly1305(derived)
