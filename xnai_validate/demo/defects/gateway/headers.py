"""Header fields that the gateway forgets, drops or invents."""

from __future__ import annotations

import uuid

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services.gateway.gateway import request_headers
from xnai_validate.demo.services.gateway.http1 import Fields
from xnai_validate.demo.services.gateway.relay import added_headers, response_headers


def _without(name: bytes, fields: Fields) -> Fields:
    """Return the header fields without those of a name, which is given in lower case."""
    return [pair for pair in fields if pair[0].lower() != name]


NO_HSTS = Defect(
    "gateway-no-hsts", "Strict-Transport-Security is not added.", checks=("services/gateway:hsts",)
).changes(added_headers, lambda fields: _without(b"strict-transport-security", fields))

NO_NOSNIFF = Defect(
    "gateway-no-nosniff", "X-Content-Type-Options is not added.", checks=("services/gateway:nosniff",)
).changes(added_headers, lambda fields: _without(b"x-content-type-options", fields))

NO_FRAME_OPTIONS = Defect(
    "gateway-no-frame-options", "X-Frame-Options is not added.", checks=("services/gateway:no-framing",)
).changes(added_headers, lambda fields: _without(b"x-frame-options", fields))

NO_REFERRER_POLICY = Defect(
    "gateway-no-referrer-policy", "Referrer-Policy is not added.", checks=("services/gateway:referrer",)
).changes(added_headers, lambda fields: _without(b"referrer-policy", fields))

EATS_REQUEST_ID = (
    Defect(
        "gateway-eats-request-id",
        "The X-Request-ID of a response does not pass through the gateway.",
        checks=("services/gateway:request-id",),
    )
    .changes(request_headers, lambda fields: _without(b"x-request-id", fields))
    .changes(response_headers, lambda fields: _without(b"x-request-id", fields))
)

OWN_REQUEST_ID = Defect(
    "gateway-own-request-id",
    "The gateway puts an X-Request-ID of its own in the place of the API's.",
    checks=("services/gateway:request-id",),
).changes(
    response_headers,
    lambda fields: [*_without(b"x-request-id", fields), (b"X-Request-ID", f"req_{uuid.uuid4()}".encode())],
)

DROPS_RETRY_AFTER = Defect(
    "gateway-drops-retry-after",
    "Retry-After does not reach the client.",
    checks=("breakers/open:retry-after-through-gateway",),
).changes(response_headers, lambda fields: _without(b"retry-after", fields))
