"""Credentials of a session for requests that `HttpClient` does not send: those of loads and WebSockets."""

from __future__ import annotations

from xnai_validate.wire.http.request import HttpRequest


async def authorized(request: HttpRequest) -> HttpRequest:
    """The request with the credentials of its session, if it has one; logs in first if need be.

    Raises Unmeasurable if the login fails.
    """
    if request.session is None:
        return request
    return request.with_credentials(await request.session.credentials())
