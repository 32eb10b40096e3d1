"""The process of a proxy."""

from __future__ import annotations

from urllib.parse import urlsplit

import psutil

from tests.checkers.beside import tcp_server
from tests.faults.fault_control import fault_control
from tests.faults.proxy.giver import connect, round_trip
from tests.faults.scenes.proxy import echo
from xnai_validate.faults._child import children_of
from xnai_validate.kit import Target


def test_a_proxy_is_small_and_ends_with_its_pipe() -> None:
    """It takes little memory, also with fifty connections; when its input closes it is gone, however it was closed."""
    with (
        tcp_server(echo) as port,
        fault_control("proxy.latency", Target("a", f"tcp://127.0.0.1:{port}"), latency="0s") as control,
    ):
        undo, _ = control.prepare()
        control.inject(undo)
        assert control.active is not None
        assert control.active.close is not None
        (child,) = children_of(control.place.id)
        through = urlsplit(control.active.url or "").port or 0
        many = [connect(through) for _ in range(50)]
        for visitor in many:
            round_trip(visitor)
        assert psutil.Process(child.pid).memory_info().rss < 48 << 20
        control.active.close()
        assert not child.alive
        for visitor in many:
            visitor.close()
