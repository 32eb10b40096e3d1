"""What is on disk of a fault before it is injected: enough for any process to take it back."""

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
    """Unlike that of any other injection; the name of its file."""
    fault: str
    sentence: str
    """What it does to whom."""
    run: str
    """The id of the run."""
    check: str
    """The id of the check that it was injected for."""
    owner: ProcessId
    """The process that takes it back as long as it lives."""
    target: Target | None
    undo: JsonObject
    """What the fault itself wrote down."""
    before: JsonValue
    """The fingerprint before the injection."""
    recorded_at: float
    """Seconds since the epoch."""

    @property
    def owned(self) -> bool:
        """Whether the run that injected it still lives."""
        return self.owner.alive

    def to_json(self) -> tuple[bytes, bytes | None]:
        """The record, and what of it is secret, to be kept in a file of its own.

        A password that is from the environment is named, not written.
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
    """The record of its two files; raises ValueError for what is none."""
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
    """The target as a process in any folder understands it: its files by their whole paths."""
    names = ("ca", "cert", "key")
    files = {name: path and os.path.abspath(path) for name in names if (path := getattr(target.tls, name))}
    return replace(target, tls=replace(target.tls, **files)) if files else target


def myself() -> ProcessId:
    """This process."""
    found = process_id(os.getpid())
    if found is None:  # /proc is not mounted: nothing could ever be compared
        raise OSError("/proc does not show this process")
    return found


def _target_to_json(target: Target) -> tuple[JsonObject, JsonObject]:
    """The target, and what of it must not be seen."""
    document: JsonObject = asdict(target)
    secret: JsonObject = {}
    if target.password and not target.password_env:
        secret["password"] = target.password
    document["password"] = None
    if target.url and "@" in target.url:  # userinfo
        secret["url"], document["url"] = target.url, None
    return document, secret


def _target_from_json(
    document: Mapping[str, object] | None, secret: Mapping[str, str], environ: Mapping[str, str]
) -> Target | None:
    if document is None:
        return None
    fields = dict(document)
    tls = fields.pop("tls")
    target = Target(**fields, tls=Tls(**tls))  # type: ignore[arg-type]
    password = secret.get("password") or (environ.get(target.password_env) if target.password_env else None)
    return replace(target, password=password, url=secret.get("url", target.url))
