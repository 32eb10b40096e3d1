"""Real Prometheus and Alertmanager over the embedded stack: our receiver judges them right."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.tool import Ended, report, tool
from tests.ports import free_port
from xnai_validate.demo.processes.stack import EmbeddedStack
from xnai_validate.model.results.status import Status

HERE = Path(__file__).parent / "prometheus"
PACKAGES = ("prometheus", "prometheus-alertmanager")

pytestmark = pytest.mark.extra


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    """The two servers, from Debian."""
    if not all(shutil.which(name) for name in PACKAGES):
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", *PACKAGES], check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    """The embedded stack, healthy."""
    with EmbeddedStack.start(layout="A") as running:
        yield running


@contextmanager
def running(name: str, port: int, ready: str, *arguments: str) -> Iterator[None]:
    """A server of Debian's, until the end of the block."""
    process = subprocess.Popen([name, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=1):
                    break
            except OSError:
                assert time.monotonic() < end, f"{name} does not come up"
                assert process.poll() is None, f"{name} ended with {process.returncode}"
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(20)


def judged(stack: EmbeddedStack, home: Path, *, resolved: bool = True, listening: bool = True) -> Ended:
    """A run of the profile against both servers, configured for the stack."""
    alerts, prom, manager = free_port(), free_port(), free_port()
    (home / "alertmanager.yml").write_text(
        json.dumps(
            {
                "route": {"receiver": "us", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1s"},
                "receivers": [
                    {
                        "name": "us",
                        "webhook_configs": [
                            {"url": f"http://127.0.0.1:{alerts}/", "send_resolved": resolved, "max_alerts": 0}
                        ],
                    }
                ],
            }
        ),
        encoding="utf-8",
    )
    rule = {
        "alert": "ModelDown",
        "expr": 'xnai_service_health{service="llm"} == 0',
        "for": "1s",
        "labels": {"severity": "critical"},
        "annotations": {"summary": "the model server does not answer"},
    }
    (home / "rules.yml").write_text(json.dumps({"groups": [{"name": "xnai", "interval": "1s", "rules": [rule]}]}))
    place = urlsplit(stack.description["targets"]["metrics"]["url"]).netloc
    (home / "prometheus.yml").write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(home / "rules.yml")],
                "scrape_configs": [{"job_name": "xnai", "static_configs": [{"targets": [place]}]}],
                "alerting": {
                    "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{manager}"]}]}] if listening else []
                },
            }
        ),
        encoding="utf-8",
    )
    (home / "stack.json").write_text(
        json.dumps(
            {
                **stack.description,
                "targets": {**stack.description["targets"], "prometheus": {"url": f"http://127.0.0.1:{prom}"}},
            }
        )
    )
    with (
        running(
            "prometheus-alertmanager",
            manager,
            "/-/ready",
            f"--config.file={home}/alertmanager.yml",
            f"--storage.path={home}/alertmanager",
            f"--web.listen-address=127.0.0.1:{manager}",
            "--cluster.listen-address=",
        ),
        running(
            "prometheus",
            prom,
            "/-/ready",
            f"--config.file={home}/prometheus.yml",
            f"--storage.tsdb.path={home}/prometheus",
            f"--web.listen-address=127.0.0.1:{prom}",
        ),
    ):
        return tool(
            home,
            "run",
            str(HERE / "prom.yaml"),
            f"--path={HERE}",
            "--stack=stack.json",
            f"--listen=127.0.0.1:{alerts}",
            "--output=report.json",
        )


def statuses(home: Path) -> dict[str, Status]:
    """How each check of the suite ended."""
    return {check.id.partition(":")[2]: check.status for check in report(home / "report.json").checks}


def test_an_alert_fires_and_resolves(stack: EmbeddedStack, tmp_path: Path) -> None:
    """Targets are up, rules load, and Alertmanager reports a model that stands still, and its return."""
    done = judged(stack, tmp_path)
    assert done.code == 0, done.stdout
    assert set(statuses(tmp_path).values()) == {Status.PASS}


def test_an_alertmanager_that_does_not_report_the_end(stack: EmbeddedStack, tmp_path: Path) -> None:
    """With send_resolved off, that and nothing else fails."""
    assert judged(stack, tmp_path, resolved=False).code == 1
    failed = {name for name, status in statuses(tmp_path).items() if status is Status.FAIL}
    assert failed == {"resolves"}


def test_a_prometheus_without_alertmanager(stack: EmbeddedStack, tmp_path: Path) -> None:
    """Where alerts have nowhere to go, the configuration is the root cause and the rest is blocked."""
    assert judged(stack, tmp_path, listening=False).code == 1
    found = statuses(tmp_path)
    assert {name for name, status in found.items() if status is Status.FAIL} == {"alertmanager-known"}
    assert {name for name, status in found.items() if status is Status.SKIP} == {"fires", "resolves"}
