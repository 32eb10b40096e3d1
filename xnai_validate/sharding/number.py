"""Which shard of how many: the value of `run --shard K/N` and of `pytest --xnai-shard K/N`."""

from __future__ import annotations

from typing import NamedTuple

MOST_SHARDS = 256


class ShardNumber(NamedTuple):
    """One shard of several."""

    number: int
    """From 1 to `total`."""
    total: int


def shard_number(text: str) -> ShardNumber:
    """Parse `K/N`, such as `2/5`, with K from 1 to N; raises ValueError."""
    number, _, count = text.partition("/")
    if not (number.isascii() and number.isdigit() and count.isascii() and count.isdigit()):
        raise ValueError(f"{text} is not of the form K/N, such as 2/5")
    if not 1 <= int(number) <= int(count) <= MOST_SHARDS:
        raise ValueError(f"{text}: K is from 1 to N, and N at most {MOST_SHARDS}")
    return ShardNumber(int(number), int(count))
