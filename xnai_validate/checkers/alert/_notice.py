"""The content of an alert, in any of its formats: the stack's own fields, Alertmanager's webhook, or Grafana's.

Sources: Prometheus, "Configuration: webhook_config" (version 4 of the payload); Grafana, "Configure the webhook
notifier for Alerting" (the same with fields of its own). The stack's own alerts are flat: text fields of a Redis
stream, or one JSON object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Literal

State = Literal["firing", "resolved", "other"]

_BAD = frozenset({"unhealthy", "firing", "alerting", "down", "critical", "open", "failed"})
_GOOD = frozenset({"healthy", "resolved", "ok", "up", "closed", "normal"})
_STATE_FIELDS = ("new_status", "status", "state")
_CHANGING = frozenset({"alert_id", "id", "timestamp", "time", "message", "startsAt", "endsAt"})
"""Fields in which two deliveries of the same alert may differ."""
_EPOCH = re.compile(r"\d{9,10}(\.\d{1,9})?")
"""Seconds since 1970, of any year from 1973 to 2286."""
FIELD_CAP = 300
ALERTS_CAP = 1_000
"""Alerts of one delivery that are read."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One alert, once received."""

    state: State
    identity: str
    """Equal for deliveries of the same piece of news."""
    fields: Mapping[str, str]
    sent_at: float | None
    """Seconds since the epoch at which the alert arose, by its own account; None if it has no such time."""
    faults: tuple[str, ...] = ()
    """What is wrong with it, in words."""

    def fits(self, globs: Mapping[str, str]) -> bool:
        """Return whether every field of `globs` is there with a value that matches (`*` is any text)."""
        return all(name in self.fields and fnmatchcase(self.fields[name], glob) for name, glob in globs.items())


def flat(fields: Mapping[str, str], required: Sequence[str]) -> Notice:
    """The alert of the stack's own fields; `required` must be there and not empty."""
    faults = [f"{name} is missing or empty" for name in required if not fields.get(name)]
    sent_at, fault = _time(fields, "timestamp")
    if fault:
        faults.append(fault)
    word = next((fields[name].lower() for name in _STATE_FIELDS if fields.get(name)), "")
    state: State = "firing" if word in _BAD else "resolved" if word in _GOOD else "other"
    same = {name: value for name, value in sorted(fields.items()) if name not in _CHANGING}
    return Notice(state, json.dumps(same), dict(fields), sent_at, tuple(faults))


def posted(body: bytes, required: Sequence[str]) -> list[Notice]:
    """Return the alerts of a webhook's body; one notice with a fault if the body is not an alert."""
    try:
        document = json.loads(body)
    except ValueError:
        return [_unreadable_notice("the body is not JSON")]
    if not isinstance(document, dict):
        return [_unreadable_notice("the body is not a JSON object")]
    if isinstance(document.get("alerts"), list):
        return list(_parse_group(document, document["alerts"][:ALERTS_CAP]))
    return [flat(texts(document), required)]


def texts(document: Mapping[str, object]) -> dict[str, str]:
    """The fields of a JSON object as text."""
    return {
        str(name): (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:FIELD_CAP]
        for name, value in document.items()
    }


def _unreadable_notice(fault: str) -> Notice:
    """Return the notice for a message that cannot be read."""
    return Notice("other", fault, {}, None, (fault,))


def _parse_group(document: Mapping[str, object], alerts: Sequence[object]) -> Iterator[Notice]:
    """Parse the alerts of a notification of Alertmanager or Grafana."""
    common = [f"{name} is missing" for name in ("receiver", "status", "groupKey") if not document.get(name)]
    if not alerts:
        yield _unreadable_notice("the notification has no alerts")
    for alert in alerts:
        if isinstance(alert, dict):
            yield _parse_alert(alert, common)
        else:
            yield _unreadable_notice("an alert is not a JSON object")


def _parse_alert(alert: Mapping[str, object], common: Sequence[str]) -> Notice:
    """Return the notice of one alert of Alertmanager's webhook format, with what deviates from the format."""
    faults = list(common)
    labels, annotations = alert.get("labels"), alert.get("annotations")
    if not isinstance(labels, dict) or not labels.get("alertname"):
        faults.append("labels.alertname is missing")
    status = str(alert.get("status"))
    if status not in ("firing", "resolved"):
        faults.append(f"the status is {status!r}, not firing or resolved")
    if not alert.get("fingerprint"):
        faults.append("fingerprint is missing")
    known = texts(alert)
    sent_at, fault = _time(known, "endsAt" if status == "resolved" else "startsAt")
    if fault or sent_at is None:
        faults.append(fault or "startsAt is missing")
    fields = {
        **(texts(annotations) if isinstance(annotations, dict) else {}),
        **(texts(labels) if isinstance(labels, dict) else {}),
        "status": status,
    }
    identity = json.dumps([known.get("fingerprint"), status, known.get("startsAt")])
    state: State = "firing" if status == "firing" else "resolved" if status == "resolved" else "other"
    return Notice(state, identity, fields, sent_at, tuple(faults))


def _time(fields: Mapping[str, str], name: str) -> tuple[float | None, str | None]:
    """A time (ISO 8601 with a zone, or seconds since the epoch) as such seconds, or what is wrong with it."""
    text = fields.get(name)
    if not text:
        return None, None
    if _EPOCH.fullmatch(text):
        return float(text), None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None, f"{name} is not a point in time: {text[:40]!r}"
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC).timestamp(), f"{name} has no time zone: {text[:40]!r}"
    return moment.timestamp(), None
