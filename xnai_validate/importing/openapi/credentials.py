"""The security schemes of a document as credentials of a target: secrets by the names of environment variables."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin

from xnai_validate.importing.openapi.document import ApiDocument, mapping
from xnai_validate.importing.project import FromEnvironment
from xnai_validate.model.json import JsonObject, JsonValue

Requirement = frozenset[str]
"""The names of the security schemes that a request needs together."""
PUBLIC: Requirement = frozenset()


@dataclass(slots=True)
class TargetCredentials:
    """What a target needs so that requests to it are let in."""

    schemes: frozenset[str] = PUBLIC
    """The schemes that it covers."""
    fields: JsonObject = field(default_factory=dict)
    """`auth` and `headers` of the target."""
    comments: list[str] = field(default_factory=list)

    def cover(self, requirements: Sequence[Requirement]) -> bool:
        """Whether a request with these credentials meets one of the alternatives."""
        return not requirements or any(requirement <= self.schemes for requirement in requirements)


def requirements_of(document: ApiDocument, operation: JsonObject) -> list[Requirement]:
    """The alternatives by which an operation lets a request in; empty for one that is open to all."""
    security = operation.get("security", document.root.get("security"))
    found = [frozenset(mapping(each)) for each in security] if isinstance(security, list) else []
    return [] if PUBLIC in found else found


def credentials_of(document: ApiDocument, needed: Sequence[Sequence[Requirement]], name: str) -> TargetCredentials:
    """The credentials of a target for as many operations as can be: one scheme of `auth`, any number of headers.

    Args:
        document: the document.
        needed: the alternatives of each operation that needs credentials.
        name: the name of the target, by which the variables are named.
    """
    schemes = mapping(mapping(document.root.get("components")).get("securitySchemes"))
    variables = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_") or "API"
    entries = {key: _entry(document, document.followed(raw), variables) for key, raw in schemes.items()}
    known = {key: entry for key, entry in entries.items() if entry is not None}
    votes = Counter(
        requirement
        for alternatives in needed
        for requirement in alternatives
        if all(key in known for key in requirement)
    )
    chosen = TargetCredentials()
    for requirement, _ in votes.most_common():
        both = [known[key] for key in sorted(requirement - chosen.schemes)]
        if sum("auth" in entry.fields for entry in both) + ("auth" in chosen.fields) > 1:
            continue
        names = [header for entry in both for header in mapping(entry.fields.get("headers"))]
        taken = mapping(chosen.fields.get("headers"))
        if any(header in taken for header in names) or len(set(names)) < len(names):
            continue
        for entry in both:
            _add_entry(chosen, entry)
        chosen.schemes |= requirement
    return chosen


@dataclass(frozen=True, slots=True)
class _Entry:
    """The fields of a target for one security scheme, and the comment beside them."""

    fields: JsonObject
    comment: str


def _add_entry(chosen: TargetCredentials, entry: _Entry) -> None:
    """Add the credentials of a scheme to those of the target."""
    headers = {**mapping(chosen.fields.get("headers")), **mapping(entry.fields.get("headers"))}
    chosen.fields |= entry.fields
    if headers:
        chosen.fields["headers"] = headers
    chosen.comments.append(entry.comment)


def _entry(document: ApiDocument, scheme: JsonObject, variables: str) -> _Entry | None:
    """The fields of a target for one security scheme; None for one that a target does not have."""
    kind = str(scheme.get("type")).lower()
    if kind == "apikey":
        return _key(scheme, variables)
    if kind == "http" and str(scheme.get("scheme")).lower() in ("basic", "digest"):
        user, password = f"{variables}_USER", f"{variables}_PASSWORD"
        auth: JsonObject = {
            "scheme": str(scheme["scheme"]).lower(), "user": FromEnvironment(f"${{{user}}}"), "secret_env": password,
        }  # fmt: skip
        return _Entry({"auth": auth}, f"credentials: export {user} and {password}")
    flow = mapping(mapping(scheme.get("flows")).get("clientCredentials"))
    token_url = _absolute_url(document, flow.get("tokenUrl"))
    if kind == "oauth2" and token_url is not None:
        client, secret = f"{variables}_CLIENT_ID", f"{variables}_CLIENT_SECRET"
        scopes: list[JsonValue] = [each for each in mapping(flow.get("scopes")) if each.isprintable() and each]
        auth = {
            "scheme": "oauth2-client-credentials", "user": FromEnvironment(f"${{{client}}}"), "secret_env": secret,
            "token_url": token_url,
            **({"scopes": scopes} if scopes else {}),
        }  # fmt: skip
        return _Entry({"auth": auth}, f"credentials: export {client} and {secret}")
    if kind in ("oauth2", "openidconnect") or (kind == "http" and str(scheme.get("scheme")).lower() == "bearer"):
        token = f"{variables}_TOKEN"
        how = "" if kind == "http" else "; or let `auth: {scheme: login, ...}` get it"
        return _Entry({"auth": {"scheme": "bearer", "secret_env": token}}, f"credentials: export {token}{how}")
    return None


def _absolute_url(document: ApiDocument, url: JsonValue | None) -> str | None:
    """Return a url of the document, which may be relative to where it was served; None if it is not a url."""
    if not isinstance(url, str):
        return None
    try:
        return urljoin(document.source, url) if document.is_served else url
    except ValueError:
        return None


def _key(scheme: JsonObject, variables: str) -> _Entry | None:
    """An API key in a header or a cookie."""
    name, place = str(scheme.get("name")), scheme.get("in")
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        return None
    variable = f"{variables}_{re.sub(r'[^A-Z0-9]+', '_', name.upper()).strip('_')}"
    comment = f"credentials: export {variable}"
    if place == "header":
        return _Entry({"headers": {name: FromEnvironment(f"${{{variable}}}")}}, comment)
    if place == "cookie":
        return _Entry({"headers": {"Cookie": FromEnvironment(f"{name}=${{{variable}}}")}}, comment)
    return None
