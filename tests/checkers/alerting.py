"""A small stack that alerts when it is broken on request, rightly or in one of the wrong ways."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

import redis

from tests.serving import Quiet, serving

KEY = "xnai:alerts"
LATE_S = 1.5
"""How late the alerts of a stack are that sends them late."""


class Alerting:
    """Answers POST /break and /mend; sends an alert for each to the stream and to the webhook, in its `manner`."""

    def __init__(self, client: redis.Redis, webhook: str | None, manner: str) -> None:
        self._client, self._webhook, self.manner = client, webhook, manner
        self._threads: list[threading.Thread] = []
        self.statuses: list[int] = []
        """How the webhook answered."""

    def act(self, path: str) -> None:
        """What a monitor does when it sees a change."""
        broken = path == "/break"
        if self.manner == "dropped" or (self.manner == "never-resolved" and not broken):
            return
        if self.manner == "reversed":
            broken = not broken
        thread = threading.Thread(target=self._send, args=(broken,), daemon=True)
        thread.start()
        self._threads.append(thread)

    def _send(self, broken: bool) -> None:
        if self.manner == "late":
            time.sleep(LATE_S)
        alert = _alert(broken)
        if self.manner == "bare":
            alert = {"service": "llm", "new_status": alert["new_status"], "timestamp": "yesterday"}
        if self.manner == "ahead":
            alert["timestamp"] = f"{datetime.now(UTC) + timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
        for _ in range(2 if self.manner == "doubled" else 1):
            if self.manner != "webhook-only":
                self._client.xadd(KEY, cast(Any, alert))
            if self._webhook and self.manner != "stream-only":
                self._post(alert)

    def _post(self, alert: dict[str, str]) -> None:
        body = b"{oops" if self.manner == "not-json" else json.dumps(self._shaped(alert)).encode()
        for _ in range(1 if self.manner == "gives-up" else 3):
            request = urllib.request.Request(f"http://{self._webhook}/alerts", body, method="POST")
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    self.statuses.append(answer.status)
                    return
            except urllib.error.HTTPError as error:
                self.statuses.append(error.code)
                time.sleep(0.05)
            except OSError:
                return

    def _shaped(self, alert: dict[str, str]) -> object:
        if self.manner not in ("alertmanager", "alertmanager-odd"):
            return alert
        firing = alert["new_status"] == "unhealthy"
        alert_json = {
            "status": "firing" if firing else "resolved",
            "labels": {"alertname": "LlmDown", "service": "llm", "severity": "critical"},
            "annotations": {"summary": alert["message"]},
            "startsAt": alert["timestamp"],
            "endsAt": "0001-01-01T00:00:00Z" if firing else alert["timestamp"],
            "generatorURL": "",
            "fingerprint": "a1b2c3",
        }
        if self.manner == "alertmanager-odd":
            del alert_json["fingerprint"]
        return {
            "version": "4",
            "groupKey": "{}:{}",
            "status": alert_json["status"],
            "receiver": "x",
            "alerts": [alert_json],
        }

    def join(self) -> None:
        """Wait until all is sent."""
        for thread in self._threads:
            thread.join(10)


def _alert(broken: bool) -> dict[str, str]:
    return {
        "alert_id": str(uuid.uuid4()),
        "type": "status_change",
        "service": "llm",
        "severity": "critical" if broken else "info",
        "message": "llm is not what it was",
        "new_status": "unhealthy" if broken else "healthy",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


@contextmanager
def alerting(client: redis.Redis, webhook: str | None, manner: str) -> Iterator[tuple[str, Alerting]]:
    """The url of such a stack, and the stack."""
    stack = Alerting(client, webhook, manner)

    class Acting(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            stack.act(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Acting) as url:
        try:
            yield url, stack
        finally:
            stack.join()
