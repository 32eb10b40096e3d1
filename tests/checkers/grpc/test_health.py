"""The health of a real gRPC server, as a whole and of one service."""

from __future__ import annotations

import pytest
from grpc_health.v1 import health_pb2

from tests.checkers.grpc.server import grpc_server
from tests.context import observe
from tests.ports import free_port
from xnai_validate.kit import NotApplicable, Target, Unmeasurable
from xnai_validate.model.target import Tls


def test_the_status_of_a_server_and_of_a_service() -> None:
    """Only SERVING passes; a service that the server does not know is not a healthy one."""
    with grpc_server() as running:
        running.health.set("shop.Orders", health_pb2.HealthCheckResponse.NOT_SERVING)
        observed = observe("grpc.health", running.target)
        assert (observed.facts["status"], observed.facts["code"], observed.facts["error"]) == ("SERVING", "OK", None)
        assert observed.held
        assert observed.facts["total_ms"] > 0
        down = observe("grpc.health", running.target, service="shop.Orders")
        assert (down.facts["status"], down.held) == ("NOT_SERVING", False)
        unknown = observe("grpc.health", running.target, service="shop.Nothing")
        assert (unknown.facts["status"], unknown.held) == ("SERVICE_UNKNOWN", False)


def test_a_server_without_the_service_has_no_status() -> None:
    """It answers with a code, and that is not an error of the connection."""
    with grpc_server(with_health=False) as running:
        observed = observe("grpc.health", running.target)
    assert (observed.facts["code"], observed.facts["status"], observed.facts["error"]) == ("UNIMPLEMENTED", None, None)
    assert not observed.held


def test_a_server_that_is_not_there() -> None:
    """A closed port is an error; what cannot be followed is not measured."""
    observed = observe("grpc.health", Target("orders", f"grpc://127.0.0.1:{free_port()}"), timeout="2s")
    assert observed.facts["error"] in ("refused", "timeout", "unreachable")
    assert not observed.held
    with pytest.raises(NotApplicable):
        observe("grpc.health", Target("orders", container="x"))
    with pytest.raises(Unmeasurable, match="verifies every certificate"):
        observe("grpc.health", Target("orders", "grpcs://127.0.0.1:1", tls=Tls(verify=False)))
