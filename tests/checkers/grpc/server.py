"""A real gRPC server with health and reflection, on a free port of loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from xnai_validate.kit import Target


@dataclass(frozen=True, slots=True)
class Running:
    """The server, as a target, and its health service."""

    target: Target
    health: Any


class _Silent(grpc.GenericRpcHandler):  # type: ignore[misc]  # the library has no types
    """Takes every call and gives no answer until it is released."""

    def __init__(self, released: threading.Event) -> None:
        self._released = released

    def service(self, handler_call_details: Any) -> Any:
        """The handler of a method."""

        def wait(requests: Any, context: Any) -> Iterator[bytes]:
            self._released.wait(60)
            yield from ()

        return grpc.stream_stream_rpc_method_handler(wait)


@contextmanager
def silent_server() -> Iterator[Target]:
    """A server that takes calls and never answers."""
    released = threading.Event()
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((_Silent(released),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Target("orders", f"grpc://127.0.0.1:{port}")
    finally:
        released.set()
        server.stop(None).wait()


@contextmanager
def grpc_server(*, with_health: bool = True) -> Iterator[Running]:
    """A server that is up; gone at the end. Its health service is also the one that reflection describes."""
    server = grpc.server(ThreadPoolExecutor(4))
    servicer = health.HealthServicer()
    if with_health:
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        servicer.set("", health_pb2.HealthCheckResponse.SERVING)
        names = (health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield Running(Target("orders", f"grpc://127.0.0.1:{port}"), servicer)
    finally:
        server.stop(None).wait()
