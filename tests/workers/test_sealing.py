"""Orders are read by the process that they are sealed for, and by no other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from xnai_validate.kit import JsonObject
from xnai_validate.workers.sealing import KEY_BYTES, public_key, seal, unseal

ORDER: JsonObject = {"password": "correct-horse", "numbers": [1, 2.5, None, True], "text": "\u00fc \U0001f600 \udc80"}


def test_an_order_arrives_as_it_is() -> None:
    """Nothing of it is readable on the way, and equal orders are different texts."""
    sealed = seal(ORDER, public_key())
    assert unseal(sealed) == ORDER
    assert b"correct-horse" not in sealed
    assert sealed != seal(ORDER, public_key())


@pytest.mark.parametrize("place", [0, KEY_BYTES - 1, KEY_BYTES, -1])
def test_an_order_that_was_changed_is_refused(place: int) -> None:
    """One bit is enough, in the key or in the text."""
    sealed = bytearray(seal(ORDER, public_key()))
    sealed[place] ^= 1
    with pytest.raises(ValueError, match="sealed for another process"):
        unseal(bytes(sealed))


def test_what_is_no_order_is_refused() -> None:
    """A text that is too short for a key, and one that is too short for a cipher text."""
    for text in (b"", bytes(5), public_key()):
        with pytest.raises(ValueError, match=r"32 bytes|another process"):
            unseal(text)


def test_another_process_cannot_read_an_order() -> None:
    """Each process has a key of its own: a worker that replaces a lost one refuses what was sealed for that."""
    program = "from xnai_validate.workers.sealing import public_key; print(public_key().hex())"
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True)
    key = bytes.fromhex(other.stdout)
    assert key != public_key()
    with pytest.raises(ValueError, match="sealed for another process"):
        unseal(seal(ORDER, key))
