"""Request ids that are missing or are not ids, and what else is written into the headers with them."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import MutableHeaders

from xnai_validate.demo.api.http.errors import envelope
from xnai_validate.demo.api.http.middleware import set_request_id
from xnai_validate.demo.defects.defect import Defect

MISSING = Defect(
    "request-id-missing",
    "Answers have no X-Request-ID.",
    checks=("api/errors:request-id",),
)


@MISSING.wraps(set_request_id)
def remove_request_id(_: Callable[[MutableHeaders, str], None], /, headers: MutableHeaders, request_id: str) -> None:
    """Remove X-Request-ID from the response."""
    del headers["X-Request-ID"]


_CONSTANT_ID = "req_00000000-0000-4000-8000-000000000001"
CONSTANT = Defect(
    "request-id-constant",
    "All requests have one id, which was made at the start.",
    checks=("api/errors:own-request-id",),
).changes(envelope, lambda body: body | {"request_id": _CONSTANT_ID})


@CONSTANT.wraps(set_request_id)
def set_constant_id(write: Callable[[MutableHeaders, str], None], /, headers: MutableHeaders, request_id: str) -> None:
    """Write the same X-Request-ID into every response."""
    write(headers, _CONSTANT_ID)


OPEN_TO_ALL_ORIGINS = Defect(
    "cors-open", "Pages of every origin may read the API's answers.", checks=("api/health:foreign-origin",)
)


@OPEN_TO_ALL_ORIGINS.wraps(set_request_id)
def allow_every_origin(
    write: Callable[[MutableHeaders, str], None], /, headers: MutableHeaders, request_id: str
) -> None:
    """Allow scripts of every origin to read the response."""
    headers["Access-Control-Allow-Origin"] = "*"
    write(headers, request_id)
