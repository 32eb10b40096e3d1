"""Credentials of targets that need a login: which fields each scheme takes, and what is verified at load."""

from __future__ import annotations

import pytest

from tests.config.home import Home, error_lines
from xnai_validate.plan import PlannedLogin

STEP = "{name: in, kind: http.request, with: {method: POST, path: /in}, capture: {sid: {cookie: sid}}}"


def plan_of(home: Home, auth: str) -> PlannedLogin | None:
    """The login of a target with these credentials."""
    home.profile(f"title: B\nsuites: [case/*]\ntargets:\n  api: {{url: 'http://127.0.0.1:1', auth: {auth}}}\n")
    home.suite("title: O\nchecks: [{id: a, title: A, kind: toy.ask, target: api, with: {path: /}}]\n")
    return home.load(options=home.options(environ={"TOKEN": "s3cret-value"})).targets["api"].login


def test_captured_cookies_are_sent_by_default(home: Home) -> None:
    """A login that names neither headers nor cookies sends the cookies that its steps capture; captures are secret."""
    login = plan_of(home, f"{{scheme: login, steps: [{STEP}]}}")
    assert login is not None
    assert (login.headers, login.cookies, login.logout) == ({}, {"sid": "{{sid}}"}, None)
    assert login.login.params.steps[0].capture["sid"].secret  # type: ignore[attr-defined]


def test_a_client_gets_a_token(home: Home) -> None:
    """The request for it has Basic credentials, or the client in its form; the header is Bearer."""
    start = "{scheme: oauth2-client-credentials, user: 'a b', secret_env: TOKEN, token_url: /t, scopes: [r, w]"
    login = plan_of(home, start + ", parameters: {audience: x}}")
    assert login is not None
    request = login.login.params.steps[0].with_  # type: ignore[attr-defined]
    assert request["form"] == {"grant_type": "client_credentials", "scope": "r w", "audience": "x"}
    assert request["headers"]["Authorization"].startswith("Basic ")
    assert login.headers == {"Authorization": "Bearer {{access_token}}"}
    login = plan_of(home, start + ", client_in_body: true}")
    assert login is not None
    request = login.login.params.steps[0].with_  # type: ignore[attr-defined]
    assert (request["form"]["client_id"], request["form"]["client_secret"]) == ("a b", "s3cret-value")
    assert "headers" not in request


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ("{scheme: login}", "login needs steps"),
        (f"{{scheme: login, steps: [{STEP}], user: a}}", "login takes no user"),
        ("{scheme: basic, secret_env: TOKEN}", "basic needs user"),
        ("{scheme: bearer, user: a, secret_env: TOKEN}", "bearer takes no user"),
        ("{scheme: oauth2-client-credentials, secret_env: TOKEN}", "oauth2-client-credentials needs token_url, user"),
        (
            f"{{scheme: login, steps: [{STEP}], headers: {{X: '{{{{sod}}}}'}}}}",
            "refers to {{sod}}, which no step captures",
        ),
        (
            f"{{scheme: login, steps: [{STEP}], cookies: {{'a;b': '{{{{sid}}}}'}}}}",
            "the name of a cookie has no semicolon",
        ),
        (
            f'{{scheme: login, steps: [{STEP}], headers: {{X-A: "a\\nb"}}}}',
            "the value of the header X-A has a line break",
        ),
        (
            "{scheme: login, steps: [{name: in, kind: http.request, with: {path: /in}}]}",
            "the login of api proves nothing",
        ),
        ("{scheme: login, steps: [{name: in, kind: http.reqest}]}", 'unknown kind of check "http.reqest"'),
        (
            f"{{scheme: login, steps: [{STEP}], logout: [{{name: o, kind: toy.ask, with: {{path: '/{{{{x}}}}'}}}}]}}",
            "refers to {{x}}, which no earlier step captures",
        ),
    ],
)
def test_errors_are_reported_at_load(home: Home, auth: str, expected: str) -> None:
    """Nothing is sent for credentials with an error."""
    home.profile(f"title: B\nsuites: [case/*]\ntargets:\n  api: {{url: 'http://127.0.0.1:1', auth: {auth}}}\n")
    home.suite("title: O\nchecks: [{id: a, title: A, kind: toy.ask, target: api, with: {path: /}}]\n")
    lines = error_lines(home.problems(options=home.options(environ={"TOKEN": "s3cret-value"})))
    assert any(expected in line and line.startswith("4: ") for line in lines), lines
