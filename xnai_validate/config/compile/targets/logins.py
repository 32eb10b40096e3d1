"""The logins of targets: flows that a run makes once for all checks of a target, compiled like those of checks."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote_plus

from xnai_validate.config.files.auth import AuthEntry
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.judging.references import references
from xnai_validate.plan import CompiledMeasurement, PlannedLogin, PlannedTarget

KIND = "flow.steps"
"""The kind of the flows."""
Compile = Callable[[str, JsonObject, None, None, str, Where], CompiledMeasurement | None]
"""`Measurements.compile`, called with kind, params, expect, warn, target and place."""


def with_logins(
    targets: Mapping[str, PlannedTarget],
    entries: Mapping[str, tuple[AuthEntry, str, Where]],
    compile_flow: Compile,
    problems: Problems,
) -> dict[str, PlannedTarget]:
    """The targets; each that needs a login gets it. Errors are noted.

    `entries`: target name -> its credentials, the secret of `secret_env`, and where they are written.
    """
    made = dict(targets)
    for name, (entry, secret, where) in entries.items():
        login = _compile_login(name, _token_login(entry, secret), where, compile_flow, problems)
        made[name] = replace(targets[name], login=login)
    return made


def _compile_login(
    name: str, entry: AuthEntry, where: Where, compile_flow: Compile, problems: Problems
) -> PlannedLogin | None:
    """Compile the login and log-out of a target; None, with errors noted, if they are wrong."""
    steps = [_captures_secret(step) for step in entry.steps]
    captured = {key: capture for step in steps for key, capture in _captures_of(step).items()}
    login = compile_flow(KIND, {"steps": list[JsonValue](steps)}, None, None, name, where)
    headers, cookies = dict(entry.headers), dict(entry.cookies)
    if not headers and not cookies:
        cookies = {str(capture["cookie"]): f"{{{{{key}}}}}" for key, capture in captured.items() if "cookie" in capture}
    if login is not None and not headers and not cookies:
        problems.at(where, f"the login of {name} proves nothing", "capture a cookie, or name headers or cookies")
        return None
    for reference in references([*headers.values(), *cookies.values()]):
        if reference not in captured:
            problems.at(where, f"the login of {name} refers to {{{{{reference}}}}}, which no step captures")
    logout = None
    if entry.logout:
        values: JsonObject = dict.fromkeys(captured)
        params: JsonObject = {"steps": list[JsonValue](entry.logout), "values": values}
        logout = compile_flow(KIND, params, None, None, name, where)
    return None if login is None else PlannedLogin(login, logout, headers, cookies)


def _captures_of(step: JsonObject) -> dict[str, JsonObject]:
    """Return what a step captures from its response, by name."""
    captures = step.get("capture")
    found = captures.items() if isinstance(captures, dict) else ()
    return {key: capture for key, capture in found if isinstance(capture, dict)}


def _captures_secret(step: JsonObject) -> JsonObject:
    """The step, all of whose captures are masked: they are used in credentials."""
    captures = _captures_of(step)
    return {**step, "capture": {key: {**each, "secret": True} for key, each in captures.items()}} if captures else step


def _token_login(entry: AuthEntry, secret: str) -> AuthEntry:
    """Return the entry as a login; that of an OAuth client is a request for a token (RFC 6749 section 4.4.2)."""
    if entry.scheme == "login":
        return entry
    form: JsonObject = {"grant_type": "client_credentials", **_scope_parameter(entry.scopes), **entry.parameters}
    request: JsonObject = {"method": "POST", "path": entry.token_url, "form": form}
    if entry.client_in_body:
        form |= {"client_id": entry.user, "client_secret": secret}
    else:
        request["headers"] = {"Authorization": _basic(entry.user or "", secret)}
    step: JsonObject = {
        "name": "token",
        "kind": "http.request",
        "with": request,
        "capture": {"access_token": {"json": "$.access_token"}},
    }
    return AuthEntry(scheme="login", steps=(step,), headers={"Authorization": "Bearer {{access_token}}"})


def _basic(client: str, secret: str) -> str:
    """The value of the header: both parts are encoded as in a form first (RFC 6749 section 2.3.1)."""
    return "Basic " + b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()


def _scope_parameter(scopes: Iterable[str]) -> JsonObject:
    """Return the OAuth parameter `scope`; no parameter without scopes (RFC 6749 section 3.3)."""
    text = " ".join(scopes)
    return {"scope": text} if text else {}
