"""What a worker is to measure, as plain data: the kind, its params and its target."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict, dataclass
from typing import Any

from xnai_validate.kit import Checker, JsonObject, Params, Target, Tls, Unmeasurable
from xnai_validate.model.target import UNIX, Auth

PLAIN_HINT = "use a scheduler at tls://, or allow it with --allow-plain"
"""How to go on where secrets must not be sent."""
_ELSEWHERE = ("container", "pid", "state_file", "session", "password_env")
"""Fields of a target that mean something on the coordinating host only."""


@dataclass(frozen=True, slots=True)
class Order:
    """One measurement that a worker makes."""

    nonce: str
    """Of one execution: a worker refuses to execute it twice."""
    run: str
    """Of one run: a worker sends several loads at once only where they are of the same run, as a group of checks is."""
    kind: str
    params: JsonObject
    target: JsonObject
    index: int
    """Which share of the load it is."""
    of: int
    lease_s: float
    """The worker ends the load where the coordinating process has not asked for so long."""


@dataclass(frozen=True, slots=True)
class MeasurementOrder:
    """One measurement of a check that a worker makes from where it is."""

    nonce: str
    """Of one execution: a worker refuses to execute it twice."""
    kind: str
    params: JsonObject
    target: JsonObject | None
    timeout_s: float
    """The time limit of the check, which holds on the worker."""
    lease_s: float
    """The worker ends the measurement where the coordinating process has not asked for this time."""
    traceparent: str | None
    """The trace context of its requests."""
    secrets_may_return: bool
    """Whether what the worker finds may hold secrets: the connections are encrypted, or it is allowed."""


async def order_target(target: Target) -> JsonObject:
    """Return a target as plain data, with the credentials of its login. Raises Unmeasurable if the login fails."""
    headers = list(target.headers)
    if target.session is not None:
        credentials = await target.session.credentials()
        new = {name.lower() for name, _ in credentials}
        headers = [pair for pair in headers if pair[0].lower() not in new] + list(credentials)
    fields = {name: getattr(target, name) for name in Target.__slots__ if name not in _ELSEWHERE}
    fields |= {
        "tls": asdict(target.tls),
        "auth": None if target.auth is None else asdict(target.auth),
        "headers": [list(pair) for pair in headers],
    }
    return fields


def target_of(order: JsonObject) -> Target:
    """Return the target that `order_target` returned as plain data."""
    fields: dict[str, Any] = dict(order)
    fields["tls"] = Tls(**fields["tls"])
    fields["auth"] = None if fields["auth"] is None else Auth(**fields["auth"])
    fields["headers"] = tuple((name, value) for name, value in fields["headers"])
    return Target(**fields)


def holds_secrets(target: JsonObject, *, is_secret: bool) -> bool:
    """Whether an order to measure a target has anything that must not be read on its way.

    `is_secret`: whether the masking of the run finds a secret in its text.
    """
    tls: Any = target["tls"]
    by_target = any(target[name] for name in ("password", "auth", "headers", "proxy")) or bool(tls["key_password"])
    return is_secret or by_target or "@" in str(target["url"]).partition("//")[2].partition("/")[0]


def order_params(checker: Checker, params: Params) -> JsonObject:
    """Return params as plain data. Raises Unmeasurable where they would not arrive as they are."""
    plain = params.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if checker.params.model_validate(plain) != params:
        raise Unmeasurable(f"the params of {checker.kind} cannot be sent to workers")
    return plain


def is_local(target: Target) -> bool:
    """Whether the url of the target leads to the host or container that uses it, so each reaches a different server."""
    return target.scheme == UNIX or is_loopback(target.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is that of the host itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
