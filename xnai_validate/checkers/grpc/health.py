"""`grpc.health`: the standard health check of a gRPC server."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from xnai_validate.checkers.grpc._channel import GrpcFacts, GrpcParams, call, metadata_of, required
from xnai_validate.kit import Context, checker

Status = Literal["SERVING", "NOT_SERVING", "UNKNOWN", "SERVICE_UNKNOWN"]


class HealthParams(GrpcParams):
    """Whose health is asked for."""

    service: str = ""
    """The full name of a service (`shop.v1.Orders`); by default the server as a whole."""


class HealthFacts(GrpcFacts):
    """The answer."""

    status: Status | None = None
    """SERVING, NOT_SERVING, UNKNOWN, or SERVICE_UNKNOWN for a service that the server does not know."""


@checker("grpc.health", expect={"error": None, "status": "SERVING"}, extra="grpc", preload=("grpc",))
async def health(params: HealthParams, ctx: Context) -> HealthFacts:
    """Ask a gRPC server for its health by the standard service.

    Source: "GRPC Health Checking Protocol" of the gRPC documentation, `grpc.health.v1.Health/Check`. The target's url
    is `grpc://host:port`, or `grpcs://host:port` for TLS. A server without that service has the code `UNIMPLEMENTED`
    and no status.

        kind: grpc.health
        target: orders
        with: {service: shop.v1.Orders}
    """
    required("grpc.health", "grpc", "grpc_health")
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    def request_health(channel: Any) -> str:
        """Request the health of the service; return the name of its status."""
        request = health_pb2.HealthCheckRequest(service=params.service)
        stub = health_pb2_grpc.HealthStub(channel)
        answer = stub.Check(request, timeout=params.timeout, metadata=metadata_of(params))
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))

    outcome = await asyncio.to_thread(call, ctx, params.timeout, request_health)
    status = "SERVICE_UNKNOWN" if outcome.facts.get("code") == "NOT_FOUND" else outcome.value
    return HealthFacts.model_validate({**outcome.facts, "status": status})
