"""A method of a real gRPC server is called by its reflection."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.checkers.grpc.server import grpc_server, silent_server
from tests.context import observe
from tests.ports import free_port
from xnai_validate.kit import Target, Unmeasurable
from xnai_validate.model.source_location import InvalidConfig

CHECK = "grpc.health.v1.Health/Check"


def test_a_method_is_called_with_json() -> None:
    """The message and the answer are JSON, judged by JSONPath; a code of the server is a fact."""
    with grpc_server() as running:
        observed = observe("grpc.call", running.target, method=CHECK, expect={"json": {"$.status": "SERVING"}})
        assert observed.held
        refused = observe("grpc.call", running.target, method=f"/{CHECK}", message={"service": "gone"})
        assert (refused.facts["code"], refused.facts["json"], refused.held) == ("NOT_FOUND", None, False)


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"method": "grpc.health.v1.Health/Nothing"}, "knows no method"),
        ({"method": "shop.Nothing/Check"}, "knows no method"),
        ({"method": "grpc.health.v1.Health/Watch"}, "a method of streams"),
        ({"method": CHECK, "message": {"nothing": 1}}, "does not fit grpc.health.v1.HealthCheckRequest"),
    ],
)
def test_what_does_not_fit_is_an_error(params: dict[str, Any], why: str) -> None:
    """The server's own description decides, and the error names what does not fit."""
    with grpc_server() as running, pytest.raises(Unmeasurable, match=why):
        observe("grpc.call", running.target, **params)


def test_a_server_that_is_not_there_and_a_name_that_is_none() -> None:
    """A closed port is an error of the connection; a malformed name is refused at load."""
    observed = observe("grpc.call", Target("x", f"grpc://127.0.0.1:{free_port()}"), method=CHECK, timeout="1s")
    assert observed.facts["error"] in ("refused", "timeout", "unreachable")
    with pytest.raises(InvalidConfig):
        observe("grpc.call", Target("x", "grpc://127.0.0.1:1"), method="Check")


def test_a_server_that_never_answers_is_left_in_time() -> None:
    """The time limit bounds the questions of reflection too, and no thread is left waiting."""
    with silent_server() as target:
        started = time.monotonic()
        cases: list[tuple[str, dict[str, Any]]] = [("grpc.call", {"method": CHECK}), ("grpc.health", {})]
        for kind, params in cases:
            observed = observe(kind, target, timeout="500ms", **params)
            assert observed.facts["error"] == "timeout", kind
            assert not observed.held
        assert time.monotonic() - started < 15
