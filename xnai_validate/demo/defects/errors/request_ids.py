"""Request ids that are ignored or missing."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders

from xnai_validate.demo.api.http.middleware import request_id_of, set_request_id
from xnai_validate.demo.defects.defect import Defect

IGNORED = Defect(
    "request-id-ignored",
    "The request id that a client sends is not used.",
    checks=("api/errors:request-id", "services/gateway:request-id"),
)


@IGNORED.wraps(request_id_of)
def new_request_id(original: Callable[[Headers], str], /, headers: Headers) -> str:
    return original(Headers())


MISSING = Defect(
    "request-id-missing",
    "Answers have no X-Request-ID.",
    checks=("api/errors:request-id", "services/gateway:request-id"),
)


@MISSING.wraps(set_request_id)
def remove_request_id(_: Callable[[MutableHeaders, str], None], /, headers: MutableHeaders, request_id: str) -> None:
    del headers["X-Request-ID"]
