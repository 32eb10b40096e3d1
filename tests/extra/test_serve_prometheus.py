"""A real Prometheus scrapes `serve`: its linter finds nothing, and an alert on one of our gauges fires and ends."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.cli.commands.test_serve import TOKEN, server
from tests.cli.conftest import Place, place, site
from tests.extra.test_prometheus import installed, running
from tests.ports import free_port

__all__ = ["installed", "place", "site"]  # the fixtures

pytestmark = pytest.mark.extra
WAIT_S = 60
RULES = {
    "groups": [
        {
            "name": "stack",
            "interval": "1s",
            "rules": [
                {"alert": "StackFailed", "expr": "xnai_validate_run_exit_code != 0"},
                {"alert": "WrongStatus", "expr": 'xnai_validate_http_request_status{check="site/web:up"} >= 500'},
                {"alert": "Silent", "expr": "absent(xnai_validate_run_age_seconds)"},
            ],
        }
    ]
}


def configured(home: Path, place_of_server: str) -> Path:
    """Write the configuration of a Prometheus that scrapes the server with its token."""
    (home / "rules.yml").write_text(json.dumps(RULES))
    file = home / "prometheus.yml"
    scrape = {
        "job_name": "xnai-validate",
        "authorization": {"type": "Bearer", "credentials": TOKEN},
        "static_configs": [{"targets": [place_of_server]}],
    }
    intervals = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    file.write_text(json.dumps({"global": intervals, "rule_files": ["rules.yml"], "scrape_configs": [scrape]}))
    return file


def firing(port: int) -> set[str]:
    """Return the names of the alerts that fire."""
    alerts = httpx.get(f"http://127.0.0.1:{port}/api/v1/alerts").json()["data"]["alerts"]
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


def until_firing(port: int, names: set[str]) -> None:
    """Wait until exactly these alerts fire."""
    end = time.monotonic() + WAIT_S
    while (now := firing(port)) != names:
        assert time.monotonic() < end, now
        time.sleep(0.2)


def test_an_alert_on_a_gauge_fires_and_ends(place: Place) -> None:
    """While the site answers 503, the alerts on the exit code and on the status fire; afterwards neither does."""
    port = free_port()
    with server("good", "--every", "1s", "--token-env", "SITE_TOKEN", SITE_TOKEN=TOKEN) as ours:
        file = configured(place.path, urlsplit(ours.url).netloc)
        storage = f"--storage.tsdb.path={place.path}/prometheus"
        listen = f"--web.listen-address=127.0.0.1:{port}"
        with running("prometheus", port, "/-/ready", f"--config.file={file}", storage, listen):
            ours.until("healthz", 200, authorization=f"Bearer {TOKEN}")
            place.site.down.set()
            until_firing(port, {"StackFailed", "WrongStatus"})
            targets = httpx.get(f"http://127.0.0.1:{port}/api/v1/targets").json()["data"]["activeTargets"]
            assert [target["lastError"] for target in targets] == [""]
            place.site.down.clear()
            until_firing(port, set())


def test_the_linter_finds_nothing(place: Place) -> None:
    """`promtool check metrics` accepts what is served."""
    with server("bad", "--every", "1h") as ours:
        end = time.monotonic() + WAIT_S
        while "http_request_total_seconds" not in (text := ours.get("metrics").text):
            assert time.monotonic() < end
            time.sleep(0.1)
    lint = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (lint.returncode, lint.stdout, lint.stderr) == (0, "", "")
