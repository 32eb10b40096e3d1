"""What every proxy has in common: its target, its address, its params."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from pydantic import ValidationError

from tests.checkers.beside import tcp_server
from tests.checkers.redis_process import redis_server
from tests.faults.fault_control import fault_control
from tests.faults.proxy.giver import given, proxied
from tests.faults.scenes.proxy import SCENES, echo
from tests.faults.scenes.scene import NAMES
from tests.ports import free_port
from xnai_validate.kit import NotApplicable, Target, Unmeasurable


def test_every_proxy_has_a_scene() -> None:
    """The contract and the crash matrix know them all."""
    assert set(SCENES) == {name for name in NAMES if name.startswith("proxy.")}


def test_redis_through_a_proxy() -> None:
    """With its password and database in the url; its own connection is as quick as before."""
    with (
        redis_server() as (target, direct),
        fault_control("proxy.latency", target, latency="150ms", stream="both") as control,
    ):
        undo, before = control.prepare()
        control.inject(undo)
        assert control.active is not None
        assert urlsplit(control.active.url or "").path == "/0"
        with redis.Redis.from_url(control.active.url or "", password=target.password) as client:
            client.set("key", "value")
            begun = time.monotonic()
            assert client.get("key") == b"value"
            assert time.monotonic() - begun >= 0.3
        assert direct.get("key") == "value"
        assert control.revert(undo, before).proven


def test_where_the_target_is_gone_the_client_gets_an_error() -> None:
    """A target that refuses looks like a connection that is lost, not like one that hangs."""
    with proxied("proxy.latency", free_port(), latency="1ms") as (_, through), pytest.raises(ConnectionError):
        given(through)


def test_what_cannot_be_proxied_is_reported() -> None:
    """A target without a url or port, and an address that is in use or of another machine: no proxy is started."""
    with tcp_server(echo) as port:
        here = Target("server", f"tcp://127.0.0.1:{port}")
        for target, params, error, text in (
            (replace(here, url=None), {}, NotApplicable, "no url"),
            (replace(here, url="unix:///run/redis.sock"), {}, NotApplicable, "no url with a port"),
            (here, {"listen": f"127.0.0.1:{port}"}, Unmeasurable, "cannot listen at .*in use"),
            (here, {"listen": "192.0.2.1:9999"}, Unmeasurable, "cannot listen at"),
        ):
            with fault_control("proxy.refuse", target, **params) as control, pytest.raises(error, match=text):
                control.prepare()


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("proxy.latency", {"latency": "100ms", "jitter": "101ms"}),
        ("proxy.slicer", {"average_size": 10, "size_variation": 10}),
        ("proxy.slicer", {"average_size": 0}),
        ("proxy.bandwidth", {"rate": 0}),
        ("proxy.reset", {"share": 0}),
        ("proxy.reset", {"share": 1.1}),
        ("proxy.refuse", {"share": 0.5}),
        ("proxy.reset", {"listen": "localhost:80"}),
        ("proxy.reset", {"listen": "127.0.0.1"}),
        ("proxy.reset", {"listen": "127.0.0.1:0"}),
        ("proxy.reset", {"listen": "::1:80"}),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, params: dict[str, Any]) -> None:
    """When the suite is loaded, not when it is run."""
    with pytest.raises(ValidationError), fault_control(name, Target("redis"), **params):
        pass
