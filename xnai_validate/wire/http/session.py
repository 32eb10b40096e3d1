"""Credentials and cookies of requests that `HttpClient` does not send: those of loads and WebSockets."""

from __future__ import annotations

import asyncio

from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpClient
from xnai_validate.wire.http.request import HttpRequest

RENEWAL_S = 10.0
"""Seconds that are waited for the status of a request that tries a session."""


async def authorized(request: HttpRequest, client: HttpClient) -> HttpRequest:
    """The request with the credentials of its session and the cookies that its target keeps; logs in if need be.

    Raises Unmeasurable if the login fails.
    """
    if request.session is not None:
        request = request.with_credentials(await request.session.credentials())
    return client.cookies.added_to(request)


async def renew_session(request: HttpRequest, client: HttpClient) -> None:
    """Send the request once if it has a session: one that has ended (status 401) is renewed before a load begins.

    No response is needed: the load reports what is in the way. Raises Unmeasurable if the login fails.
    """
    if request.session is None:
        return
    try:
        async with asyncio.timeout(RENEWAL_S), await client.send(request):
            pass
    except (WireError, TimeoutError):
        pass
