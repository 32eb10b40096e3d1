"""What goes to workers: the target and the params as they are, and no secret where others can read it."""

from __future__ import annotations

import asyncio
import base64
import socket
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.ports import free_port
from tests.scripted import ok, scripted
from tests.workers.dask_processes import DaskProcesses
from tests.workers.loads import load_by
from tests.workers.places import plan_from, run_from
from tests.workers.tcp_proxy import TcpProxy, tcp_proxy
from xnai_validate import registry
from xnai_validate.kit import Target, Tls
from xnai_validate.model.results.status import Status
from xnai_validate.model.target import Auth
from xnai_validate.workers.orders import holds_secrets, is_local, is_loopback, order_params, order_target, target_of

SECRET = "correct-horse-battery-staple"
AUTH = Auth("bearer", secret=SECRET)


def test_a_target_arrives_as_it_is() -> None:
    """What workers need of a target comes back from the plain data; what means something here only does not."""
    target = Target(
        "api",
        "https://api.example:8443/v1",
        root="https://api.example:8443",
        container="api-1",
        pid=17,
        password="p",
        tls=Tls(ca="/etc/ca.pem", server_name="api", key_password="k"),
        auth=AUTH,
        proxy="http://proxy:3128",
        http2=True,
        headers=(("X-Team", "a"),),
    )
    arrived = target_of(asyncio.run(order_target(target)))
    assert arrived.container is None
    assert arrived.pid is None
    names = ("name", "url", "root", "password", "tls", "auth", "proxy", "http2", "headers")
    assert [getattr(arrived, name) for name in names] == [getattr(target, name) for name in names]


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("load.http", {"path": "/a", "json": None, "arrivals": {"rate": 5.5}, "for": 2.5, "headers": {"X": "y"}}),
        ("load.http", {"callers": 3, "stop_at": None, "objectives": {"total_ms": 5.0}}),
        ("load.sse", {"path": "/s", "json": {"q": "{{prompt}}"}, "callers": 2, "prompts": {"words": {"mean": 3}}}),
        ("load.redis", {"command": ["SET", "k:{n}", 1, 2.5], "callers": 2}),
    ],
)
def test_params_arrive_as_they_are(kind: str, params: dict[str, object]) -> None:
    """The plain data of params makes equal params again; null and what was left out stay different."""
    checker = registry.CHECKERS.get(kind)
    given = checker.params.model_validate(params)
    plain = order_params(checker, given)
    arrived = checker.params.model_validate(plain)
    assert arrived == given
    assert arrived.model_fields_set == given.model_fields_set


@pytest.mark.parametrize(
    ("target", "secret"),
    [
        (Target("api", "http://api:80"), False),
        (Target("api", "http://user:pass@api:80"), True),
        (Target("api", "http://api:80", password="p"), True),
        (Target("api", "http://api:80", auth=AUTH), True),
        (Target("api", "http://api:80", headers=(("X-Key", "k"),)), True),
        (Target("api", "https://api", tls=Tls(key_password="k")), True),
    ],
)
def test_secrets_of_a_target_are_noticed(target: Target, secret: bool) -> None:
    """Credentials of every form are secrets; a plain url is not."""
    assert holds_secrets(asyncio.run(order_target(target)), is_secret=False) == secret


@pytest.mark.parametrize(
    ("url", "local"),
    [("http://127.0.0.1:1", True), ("http://[::1]:1", True), ("http://localhost:1", True), ("http://10.0.0.1", False),
     ("http+unix://%2Frun%2Fx.sock", True), ("http://api:80", False)],
)  # fmt: skip
def test_a_url_of_this_host_alone_is_noticed(url: str, local: bool) -> None:
    """Another host reaches another service by a url of loopback."""
    assert is_local(Target("api", url)) == local


def own_address() -> str:
    """An address of this host that is not loopback."""
    addresses = [each for listed in psutil.net_if_addrs().values() for each in listed]
    found = [each.address for each in addresses if each.family is socket.AF_INET and not is_loopback(each.address)]
    assert found, "this test needs an interface besides loopback"
    return found[0]


def test_no_secret_is_on_a_wire_that_others_can_read(tmp_path: Path) -> None:
    """Between three hosts without TLS no secret is sent, unless that is allowed: orders are sealed even then."""
    host = own_address()
    worker_port = free_port()
    dask = DaskProcesses(tmp_path, host, free_port())
    with ExitStack() as exits:
        server = exits.enter_context(scripted(ok(b"{}", f"Set-Cookie: session={SECRET}")))
        exits.callback(dask.end)
        dask.start_scheduler()
        to_scheduler = exits.enter_context(tcp_proxy(dask.port, host))
        to_worker = exits.enter_context(tcp_proxy(worker_port, host))
        url = f"tcp://{host}:{to_scheduler.port}"
        at = ["--listen-address", f"tcp://{host}:{worker_port}", "--contact-address", f"tcp://{host}:{to_worker.port}"]
        dask.start_worker("w0", *at, url=url)
        dask.await_workers()
        target = Target("api", server.url(), auth=AUTH)
        rate = {"rate": 20}
        refused = load_by(url, "load.http", target, secrets=(SECRET,), arrivals=rate, for_="500ms")
        assert refused.status is Status.ERROR
        assert "--allow-plain" in (refused.reason or "")
        plan = plan_from(target, "workers", secrets=(SECRET,), path="/from")
        ended = run_from(url, plan, tmp_path / "state")
        assert (ended.status, "--allow-plain" in (ended.reason or "")) == (Status.ERROR, True)
        assert server.requests == []
        captured = [to_scheduler, to_worker]
        assert all(proxy.carried for proxy in captured), "the proxies see what is carried"
        assert not any(map(has_secret, captured))
        allowed = load_by(url, "load.http", target, secrets=(SECRET,), allow_plain=True, arrivals=rate, for_="500ms")
        assert allowed.status is Status.PASS, allowed.reason
        assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"
        assert not any(map(has_secret, captured)), "an order is read by the worker alone"
        assert run_from(url, plan, tmp_path / "state", allow_plain=True).status is Status.PASS
        assert server.requests[-1].path == "/from"
        assert all(map(has_secret, captured)), "what a worker has found returns as it is: the search finds it"


def has_secret(proxy: TcpProxy) -> bool:
    """Whether the secret was carried, plain or in base64."""
    return SECRET.encode() in proxy.carried or base64.b64encode(SECRET.encode()) in proxy.carried
