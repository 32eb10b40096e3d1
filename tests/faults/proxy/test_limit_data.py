"""The proxy passes a number of bytes and no more."""

from __future__ import annotations

import pytest

from tests.checkers.beside import tcp_server
from tests.faults.proxy.giver import BODY, Giver, given, proxied


@pytest.mark.parametrize("count", [0, 1, 511, 40_000])
def test_a_limit_of_data_is_exact(count: int) -> None:
    """The stated number of bytes and not one more; then the end, or a reset."""
    giver = Giver()
    with tcp_server(giver.talk) as port:
        with proxied("proxy.limit_data", port, bytes=count) as (_, through):
            assert given(through)[0] == BODY[:count]
        with proxied("proxy.limit_data", port, bytes=count, reset=True) as (_, through):
            with pytest.raises(ConnectionError) as caught:
                given(through)
            assert caught.value.args[0] == BODY[:count] or count == 0
