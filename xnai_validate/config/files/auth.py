"""The model of a target's credentials: fixed ones, a token of an authorization server, or a login that a run shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from xnai_validate.config.files.entry import Entry, Texts
from xnai_validate.model.json import JsonObject
from xnai_validate.wire.http.request import verified_cookie_name, verified_cookie_value, verify_headers

Scheme = Literal["basic", "digest", "bearer", "oauth2-client-credentials", "login"]
_TAKES: Mapping[Scheme, tuple[frozenset[str], frozenset[str]]] = {
    "basic": (frozenset({"user", "secret_env"}), frozenset()),
    "digest": (frozenset({"user", "secret_env"}), frozenset()),
    "bearer": (frozenset({"secret_env"}), frozenset()),
    "oauth2-client-credentials": (
        frozenset({"user", "secret_env", "token_url"}),
        frozenset({"scopes", "parameters", "client_in_body"}),
    ),
    "login": (frozenset({"steps"}), frozenset({"headers", "cookies", "logout"})),
}
"""Scheme -> the fields that it requires, and those that it may have."""


class AuthEntry(Entry):
    """The credentials of HTTP requests; a secret is never written down, an environment variable holds it."""

    scheme: Scheme
    """How the requests log in: with a header of its own each, with a token, or in a session."""
    user: str | None = None
    """The user of `basic` and `digest`, the client id of `oauth2-client-credentials`."""
    secret_env: Annotated[str, Field(min_length=1)] | None = None
    """The environment variable that holds the password, the token of `bearer`, or the secret of the client."""
    token_url: str | None = None
    """Where `oauth2-client-credentials` gets its token (RFC 6749 section 4.4): a url, or a path of the target."""
    scopes: Texts = ()
    """The scopes that the token is to have."""
    parameters: dict[str, str] = Field(default_factory=dict)
    """More parameters of the request for the token, such as `audience`."""
    client_in_body: bool = False
    """Whether client id and secret are sent as parameters instead of as Basic credentials."""
    steps: tuple[JsonObject, ...] = ()
    """The steps of a `login`, as those of `flow.steps`: made once a run, and again after a response with status 401."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Headers of every request after the login; `{{name}}` is what a step captures."""
    cookies: dict[
        Annotated[str, AfterValidator(verified_cookie_name)], Annotated[str, AfterValidator(verified_cookie_value)]
    ] = Field(default_factory=dict)
    """Cookies of every request, likewise; without headers and cookies, those that steps capture are sent."""
    logout: tuple[JsonObject, ...] = ()
    """The steps that end the session when the run ends, with its credentials; they may refer to what was captured."""

    @field_validator("headers")
    @classmethod
    def _verify_headers(cls, headers: dict[str, str]) -> dict[str, str]:
        """Return the headers. Raises ValueError if HTTP does not allow one of them."""
        verify_headers("GET", headers)
        return headers

    @model_validator(mode="after")
    def _verify_fields(self) -> Self:
        """Raise ValueError if the scheme lacks a field that it needs or has one that it does not take."""
        required, optional = _TAKES[self.scheme]
        missing = sorted(name for name in required if not getattr(self, name))
        if missing:
            raise ValueError(f"{self.scheme} needs {', '.join(missing)}")
        others = sorted(self.model_fields_set - required - optional - {"scheme"})
        if others:
            raise ValueError(f"{self.scheme} takes no {', '.join(others)}")
        return self
