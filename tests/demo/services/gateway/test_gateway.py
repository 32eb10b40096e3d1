"""The gateway keeps its promises, and each of its defects breaks the one it names."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidHandshake
from websockets.sync.client import connect

from tests.demo.services.gateway.upstream import Upstream
from tests.demo.serving import app_serving, reserved, serving
from tests.eventually import eventually
from xnai_validate.demo.defects import CATALOGUE, TOPICS
from xnai_validate.demo.settings import Layout, Settings


@dataclass(frozen=True, slots=True)
class Setup:
    """A gateway, what is behind it, and a client."""

    settings: Settings
    upstream: Upstream
    client: httpx.Client


@contextlib.contextmanager
def _gateway(behind: Behind, layout: Layout, *defects: str) -> Iterator[Setup]:
    with reserved(behind.run_dir, layout, *defects) as settings, serving(settings, "gateway"):
        for part in ("api", "ui", "vikunja", "metrics"):
            settings.ports[part] = behind.port
        behind.upstream.broke_off = 0
        with httpx.Client(base_url=settings.url("gateway"), timeout=20) as client:
            yield Setup(settings, behind.upstream, client)
            assert eventually(lambda: behind.upstream.running == 0)


@dataclass(frozen=True, slots=True)
class Behind:
    """The upstream that all gateways of these tests share."""

    upstream: Upstream
    port: int
    run_dir: Path


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    """One upstream for everything behind the gateway."""
    upstream = Upstream()
    run_dir = tmp_path_factory.mktemp("gateway")
    with reserved(run_dir) as settings, app_serving(upstream.app, settings.ports["api"]):
        yield Behind(upstream, settings.ports["api"], run_dir)


Promise = Callable[[Setup], bool]


def _prefix(setup: Setup) -> bool:
    path, upstream_path = ("/api/v1/x", "/x") if setup.settings.layout == "A" else ("/xnai/api/v1/x", "/xnai/api/v1/x")
    return bool(setup.client.get(path).json()["target"] == upstream_path)


def _header(name: str, value: str) -> Promise:
    return lambda setup: setup.client.get("/").headers.get(name, "").startswith(value)


def _request_id(setup: Setup) -> bool:
    answer = setup.client.get("/", headers={"X-Request-ID": "req_of-the-client"})
    passed_on = answer.json()["headers"].get("x-request-id")
    return bool(answer.headers.get("x-request-id") == passed_on == "req_of-the-client")


def _down(setup: Setup) -> bool:
    with reserved(setup.settings.run_dir) as unused:
        kept = dict(setup.settings.ports)
        setup.settings.ports.update(dict.fromkeys(("api", "ui", "vikunja", "metrics"), unused.ports["ui"]))
        try:
            began = time.monotonic()
            answer = setup.client.get("/", timeout=2)
            quick = time.monotonic() - began < 2
            return bool(answer.status_code == 502 and quick and not answer.content)
        except httpx.TimeoutException:
            return False
        finally:
            setup.settings.ports.update(kept)


def _streams(setup: Setup) -> bool:
    """Whether the first frame comes long before the last one, uncompressed."""
    began = time.monotonic()
    with setup.client.stream("GET", _ticks(setup, 20, 0.05)) as answer:
        pieces = answer.iter_raw()
        first = next(pieces)
        first_after = time.monotonic() - began
        rest = b"".join(pieces)
    took = time.monotonic() - began
    return first.startswith(b"data: 0") and rest.endswith(b"data: 19\n\n") and first_after < took / 2


def _ticks(setup: Setup, count: int, every: float) -> str:
    prefix = "/api/v1" if setup.settings.layout == "A" else "/xnai/api/v1"
    return f"{prefix}/ticks?n={count}&every={every}"


def _ends_upstream(setup: Setup) -> bool:
    with setup.client.stream("GET", _ticks(setup, 60, 0.05)) as answer:
        next(answer.iter_raw())
    return eventually(lambda: setup.upstream.broke_off == 1 and setup.upstream.running == 0, seconds=2)


def _status(path: str, status: int) -> Promise:
    return lambda setup: setup.client.get(path).status_code == status


def _vikunja(setup: Setup) -> bool:
    return bool(setup.client.get("/vikunja/api/v1/info").json()["target"] == "/api/v1/info")


def _websocket(setup: Setup) -> bool:
    url = f"ws://127.0.0.1:{setup.settings.ports['gateway']}/xnai/api/v1/ws"
    try:
        with connect(url, open_timeout=5, close_timeout=2, proxy=None) as ws:
            ws.send("hello")
            return ws.recv(5) == "hello"
    except (InvalidHandshake, OSError, TimeoutError):
        return False


def _keeps_connection(setup: Setup) -> bool:
    with socket.create_connection(("127.0.0.1", setup.settings.ports["gateway"]), timeout=10) as connection:
        answers = b""
        for _ in range(2):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                while answer := connection.recv(65536):
                    answers += answer
                    if answer.endswith(b"}"):
                        break
        return answers.count(b"HTTP/1.1 200 OK\r\n") == 2


def _quick(setup: Setup) -> bool:
    return setup.client.get("/").elapsed.total_seconds() < 2


def _at_once(setup: Setup) -> bool:
    """Whether another request is answered while a stream is running."""
    with setup.client.stream("GET", _ticks(setup, 20, 0.05)) as answer:
        frames = answer.iter_raw()
        next(frames)
        other = httpx.get(setup.settings.url("gateway") + "/", timeout=10)
        return other.status_code == 200 and setup.upstream.running == 1


def _own_error(setup: Setup) -> bool:
    answer = setup.client.get("/api/v1/refuse")
    return answer.status_code == 503 and answer.headers["content-type"] == "application/json"


def _retry_after(setup: Setup) -> bool:
    return bool(setup.client.get("/api/v1/refuse").headers.get("retry-after") == "7")


def _query(setup: Setup) -> bool:
    return bool(setup.client.get("/xnai/api/v1/docs/search?query=a").json()["target"].endswith("?query=a"))


def _bodies(setup: Setup) -> bool:
    answer = setup.client.post(_ticks(setup, 0, 0).replace("ticks", "x"), content=b"x" * 3000)
    return answer.status_code == 200 and bool(answer.json()["length"] == 3000)


def _patient(setup: Setup) -> bool:
    with contextlib.suppress(httpx.RemoteProtocolError):
        return setup.client.get(_ticks(setup, 2, 0.8)).text == "data: 0\n\ndata: 1\n\n"
    return False


def _fresh(setup: Setup) -> bool:
    return bool(setup.client.get("/").json()["calls"] != setup.client.get("/").json()["calls"])


PROMISES: dict[str, Promise] = {
    "gateway-buffers": _streams,
    "gateway-gzips-streams": _streams,
    "gateway-wrong-prefix": _prefix,
    "gateway-no-hsts": _header("strict-transport-security", "max-age="),
    "gateway-no-nosniff": _header("x-content-type-options", "nosniff"),
    "gateway-no-frame-options": _header("x-frame-options", "DENY"),
    "gateway-no-referrer-policy": _header("referrer-policy", "strict-origin"),
    **dict.fromkeys(("gateway-eats-request-id", "gateway-own-request-id"), _request_id),
    **dict.fromkeys(
        ("gateway-200-when-down", "gateway-waits-when-down", "gateway-502-leaks", "gateway-502-page"), _down
    ),
    "gateway-unknown-is-200": _status("/nothing/here", 404),
    "gateway-vikunja-to-ui": _vikunja,
    "gateway-no-metrics": _status("/metrics", 200),
    "gateway-no-websocket": _websocket,
    "gateway-keeps-upstream": _ends_upstream,
    "gateway-http10": _keeps_connection,
    "gateway-slow": _quick,
    "gateway-one-at-a-time": _at_once,
    "gateway-rewrites-errors": _own_error,
    "gateway-drops-retry-after": _retry_after,
    "gateway-drops-query": _query,
    "gateway-small-bodies": _bodies,
    "gateway-impatient": _patient,
    "gateway-caches": _fresh,
}
SEEN_ELSEWHERE = {"gateway-no-assets"}
"""Whether the API or the interface is asked cannot be seen here, where one upstream stands in for both."""
LAYOUTS = {name: CATALOGUE[name].layout for name in PROMISES}


@pytest.mark.parametrize("layout", ["A", "B"])
def test_a_healthy_gateway_keeps_every_promise(layout: Layout, behind: Behind) -> None:
    """Without a defect each promise of the layout is kept."""
    only_a = ("gateway-rewrites-errors", "gateway-drops-retry-after")
    with _gateway(behind, layout) as setup:
        for defect, promise in PROMISES.items():
            if LAYOUTS[defect] in (None, layout) and not (layout == "B" and defect in only_a):
                setup.upstream.broke_off = 0
                assert promise(setup), defect


@pytest.mark.parametrize("defect", PROMISES)
def test_each_defect_breaks_its_promise(defect: str, behind: Behind) -> None:
    """With the defect the promise it is named for is not kept: the defect is real."""
    with _gateway(behind, LAYOUTS[defect] or "A", defect) as setup:
        assert not PROMISES[defect](setup)


def test_every_defect_of_the_gateway_breaks_a_promise() -> None:
    """None of the gateway's own defects is left out."""
    assert {defect.name for defect in TOPICS["gateway"]} <= set(PROMISES) | SEEN_ELSEWHERE


def test_the_layout_b_prefix_is_wrong_when_stripped(behind: Behind) -> None:
    """The wrong prefix is wrong in layout B, too."""
    with _gateway(behind, "B", "gateway-wrong-prefix") as setup:
        assert not _prefix(setup)


def test_a_broken_off_answer_is_not_taken_for_a_complete_one(tmp_path: Path) -> None:
    """When the upstream dies in the middle of its answer, the client sees a broken transfer, not an end."""
    with reserved(tmp_path) as settings, socket.create_server(("127.0.0.1", 0)) as dying:
        settings.ports["ui"] = dying.getsockname()[1]
        with serving(settings, "gateway"), httpx.Client(base_url=settings.url("gateway"), timeout=20) as client:
            reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
            with (
                OnceReply(dying, reply),
                client.stream("GET", "/") as answer,
                pytest.raises(httpx.RemoteProtocolError),
            ):
                answer.read()


def test_an_answer_for_a_dead_upstream_leaves_the_connection_usable(behind: Behind) -> None:
    """After 502 the connection goes on; if the body was not read, the response closes it."""
    with reserved(behind.run_dir) as settings, serving(settings, "gateway"), httpx.Client() as client:
        assert [client.get(settings.url("gateway")).status_code for _ in range(50)] == [502] * 50
        answer = client.post(settings.url("gateway") + "/api/v1/query", content=b"x" * 100)
        assert answer.status_code == 502
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nA: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
)
def test_a_broken_request_closes_its_connection_only(raw: bytes, behind: Behind) -> None:
    """What is not an HTTP request ends its own connection; the gateway goes on serving."""
    with _gateway(behind, "A") as setup:
        gateway = ("127.0.0.1", setup.settings.ports["gateway"])
        with contextlib.suppress(ConnectionError), socket.create_connection(gateway, timeout=10) as connection:
            connection.sendall(raw)
            while connection.recv(65536):
                pass
        assert setup.client.get("/").status_code == 200


class OnceReply:
    """Answers the next connection with some bytes and closes it."""

    def __init__(self, listener: socket.socket, reply: bytes) -> None:
        self._listener = listener
        self._reply = reply
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self._reply)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join(10)
