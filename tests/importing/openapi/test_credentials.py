"""Security schemes become credentials of a target, by the names of variables."""

from __future__ import annotations

from typing import Any

import pytest

from xnai_validate.importing.openapi.credentials import credentials_of, requirements_of
from xnai_validate.importing.openapi.document import ApiDocument
from xnai_validate.model.json import JsonObject

FLOWS: JsonObject = {"clientCredentials": {"tokenUrl": "/token", "scopes": {"read": "", "write": ""}}}
SCHEMES: JsonObject = {
    "bearer": {"type": "http", "scheme": "Bearer"},
    "basic": {"type": "http", "scheme": "basic"},
    "password": {"type": "oauth2", "flows": {"password": {"tokenUrl": "token"}}},
    "client": {"type": "oauth2", "flows": FLOWS},
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sid"},
    "query": {"type": "apiKey", "in": "query", "name": "key"},
    "mtls": {"type": "mutualTLS"},
}
DOCUMENT = ApiDocument({"components": {"securitySchemes": SCHEMES}}, "http://shop/openapi.json")


def credentials(*needed: list[set[str]]) -> Any:
    """The credentials of a target of these alternatives of operations."""
    return credentials_of(DOCUMENT, [list(map(frozenset, each)) for each in needed], "my-shop")


@pytest.mark.parametrize(
    ("scheme", "fields"),
    [
        ("bearer", {"auth": {"scheme": "bearer", "secret_env": "MY_SHOP_TOKEN"}}),
        ("password", {"auth": {"scheme": "bearer", "secret_env": "MY_SHOP_TOKEN"}}),
        ("basic", {"auth": {"scheme": "basic", "user": "${MY_SHOP_USER}", "secret_env": "MY_SHOP_PASSWORD"}}),
        (
            "client",
            {
                "auth": {
                    "scheme": "oauth2-client-credentials", "user": "${MY_SHOP_CLIENT_ID}",
                    "secret_env": "MY_SHOP_CLIENT_SECRET", "token_url": "http://shop/token",
                    "scopes": ["read", "write"],
                }
            },
        ),
        ("key", {"headers": {"X-Key": "${MY_SHOP_X_KEY}"}}),
        ("cookie", {"headers": {"Cookie": "sid=${MY_SHOP_SID}"}}),
        ("query", {}),
        ("mtls", {}),
        ("unknown", {}),
    ],
)  # fmt: skip
def test_each_scheme_has_its_fields(scheme: str, fields: dict[str, Any]) -> None:
    """Secrets are named and never written; what a target does not have is left to the operations' reasons."""
    found = credentials([{scheme}])
    assert found.fields == fields
    assert found.cover([frozenset({scheme})]) is bool(fields)


def test_the_scheme_that_lets_in_most_operations_is_taken() -> None:
    """A target has one `auth`; headers join it where an operation needs both."""
    found = credentials([{"basic"}], [{"bearer"}], [{"bearer", "key"}, {"mtls"}], [{"bearer"}], [{"cookie"}])
    assert found.schemes == {"bearer", "key", "cookie"}
    assert set(found.fields["headers"]) == {"X-Key", "Cookie"}
    assert not found.cover([frozenset({"basic"})])
    assert found.comments[0] == "credentials: export MY_SHOP_TOKEN"


def test_an_empty_requirement_is_open_to_all() -> None:
    """`security: []` and an alternative without schemes need no credentials; those of the document hold otherwise."""
    document = ApiDocument({"security": [{"key": []}]}, "x")
    assert requirements_of(document, {}) == [frozenset({"key"})]
    assert requirements_of(document, {"security": []}) == []
    assert requirements_of(document, {"security": [{"key": []}, {}]}) == []
