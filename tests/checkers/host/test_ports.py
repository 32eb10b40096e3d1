"""Which ports processes listen on."""

from __future__ import annotations

import os
import socket

import psutil

from tests.context import observe
from xnai_validate.kit import Target


def test_ports_and_who_listens() -> None:
    """A port of this process is listened on by it, on loopback only; a closed one is free and fails by default."""
    with socket.socket() as inside, socket.socket() as outside, socket.socket() as closed:
        inside.bind(("127.0.0.1", 0))
        outside.bind(("0.0.0.0", 0))
        closed.bind(("127.0.0.1", 0))
        inside.listen()
        outside.listen()
        own, wide, free = (listener.getsockname()[1] for listener in (inside, outside, closed))
        seen = observe("host.ports", ports=[own, wide, free])
        assert not seen.held
        assert seen.facts["listening"] == [own, wide]
        assert (seen.facts["free"], seen.facts["beyond_loopback"]) == ([free], [wide])
        assert seen.facts["pids"][str(own)] == os.getpid()
        assert seen.facts["names"][str(own)] == psutil.Process().name()
        assert seen.facts["addresses"][str(wide)] == ["0.0.0.0"]
        by_target = observe("host.ports", Target("api", f"http://127.0.0.1:{own}/api"))
        assert by_target.held
        assert by_target.facts["listening"] == [own]
