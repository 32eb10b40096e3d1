"""The undo record of a fault: on disk before the injection, with all that any process needs to revert it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from xnai_validate.kit import ProcessId, Target, Tls, process_id
from xnai_validate.model.json import JsonObject, JsonValue

FORMAT = "xnai-validate/undo/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRecord:
    """One fault that may be in force."""

    id: str
    """Unique for each injection; the name of its file."""
    fault: str
    sentence: str
    """What the fault does to which target."""
    run: str
    """The id of the run."""
    check: str
    """The id of the check that injects it."""
    owner: ProcessId
    """The process that reverts it as long as it lives."""
    target: Target | None
    undo: JsonObject
    """What the fault's `prepare` returned."""
    before: JsonValue
    """The fingerprint before the injection."""
    recorded_at: float
    """Seconds since the epoch."""

    @property
    def owned(self) -> bool:
        """Whether the run that injects it still lives."""
        return self.owner.alive

    def to_json(self) -> tuple[bytes, bytes | None]:
        """The record, and its secret part for a file of its own.

        Of a password from the environment only the name of the variable is written.
        """
        target, secret = _target_to_json(self.target) if self.target else (None, None)
        document = {
            "format": FORMAT,
            **{name: getattr(self, name) for name in ("id", "fault", "sentence", "run", "check", "undo", "before")},
            "owner": self.owner.model_dump(),
            "target": target,
            "recorded_at": self.recorded_at,
        }
        return json.dumps(document, indent=1).encode(), json.dumps(secret).encode() if secret else None


def record_from_json(record: bytes, secret: bytes | None, environ: Mapping[str, str] | None = None) -> UndoRecord:
    """The record of the content of its two files; raises ValueError if they hold none."""
    document = json.loads(record)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError("not an undo record")
    try:
        return UndoRecord(
            **{name: document[name] for name in ("id", "fault", "sentence", "run", "check", "undo", "before")},
            owner=ProcessId.model_validate(document["owner"]),
            target=_target_from_json(document["target"], json.loads(secret) if secret else {}, environ or os.environ),
            recorded_at=document["recorded_at"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"an undo record without {error}") from None


def placeless(target: Target) -> Target:
    """The target with absolute paths of its files, for a process in any folder."""
    names = ("ca", "cert", "key")
    files = {name: path and os.path.abspath(path) for name in names if (path := getattr(target.tls, name))}
    return replace(target, tls=replace(target.tls, **files)) if files else target


def myself() -> ProcessId:
    """This process."""
    process = process_id(os.getpid())
    if process is None:  # without /proc, no process can be identified
        raise OSError("/proc does not show this process")
    return process


def _target_to_json(target: Target) -> tuple[JsonObject, JsonObject]:
    """The target, and its secret part."""
    document: JsonObject = asdict(replace(target, session=None))
    secret: JsonObject = {}
    if target.password and not target.password_env:
        secret["password"] = target.password
    document["password"] = document["auth"] = document["proxy"] = None  # for HTTP requests, which revert no fault
    del document["session"], document["headers"]  # so that no credentials among them are written to disk
    if target.tls.key_password:
        document["tls"] = asdict(replace(target.tls, key_password=None))
        secret["key_password"] = target.tls.key_password
    if target.url and "@" in target.url:  # userinfo
        secret["url"], document["url"] = target.url, None
    return document, secret


def _target_from_json(
    document: Mapping[str, object] | None, secret: Mapping[str, str], environ: Mapping[str, str]
) -> Target | None:
    """Return the target of a record, with its secrets from the secret file or the environment."""
    if document is None:
        return None
    fields = dict(document)
    tls = replace(Tls(**fields.pop("tls")), key_password=secret.get("key_password"))  # type: ignore[arg-type]
    target = Target(**fields, tls=tls)  # type: ignore[arg-type]
    password = secret.get("password") or (environ.get(target.password_env) if target.password_env else None)
    return replace(target, password=password, url=secret.get("url", target.url))
