"""Names of credentials are recognized in every spelling."""

from __future__ import annotations

import pytest

from xnai_validate.model.secrets.names import looks_secret


@pytest.mark.parametrize(
    "name",
    [
        "REDIS_PASSWORD",
        "password",
        "api_key",
        "X-Api-Key",
        "vikunja_token",
        "Set-Cookie",
        "db_passwd",
        "accessToken",
        "authToken",
        "refreshToken",
        "privateKey",
        "X-Auth",
        "accesstoken",
        "clientSecret",
        "AWS_SECRET_ACCESS_KEY",
        "APIKey",
        "Proxy-Authorization",
        "session_cookie",
        "X-Amz-Signature",
        "jwt",
        "csrftoken",
        "csrfmiddlewaretoken",
        "idtoken",
        "API_TOKEN_V2",
        "token2",
        "api_tokens",
        "dbpass",
        "APP_PW",
        "Ocp-Apim-Subscription-Key",
        "x-functions-key",
        "masterkey",
        "passcode",
        "PHPSESSID",
        "JSESSIONID",
        "connect.sid",
        "bearer",
    ],
)
def test_names_that_look_secret(name: str) -> None:
    """Their values are never shown."""
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "tokens_generated",
        "path",
        "keyboard",
        "cookie_count",
        "author",
        "key",
        "bypass",
        "token_count",
        "compass",
        "tokens",
        "token_type",
        "token_url",
        "session_id",
        "version_2",
        "monkey",
        "",
        "password_env",
    ],
)
def test_names_that_do_not(name: str) -> None:
    """What merely resembles them is evidence and stays."""
    assert not looks_secret(name)
