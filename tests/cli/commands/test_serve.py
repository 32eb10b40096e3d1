"""`serve`: health, metrics and the latest page over HTTP while runs repeat; against a real server, by real clients."""

from __future__ import annotations

import re
import signal
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families

from tests.certificates import authority
from tests.cli.conftest import Place
from tests.cli.process import fork
from tests.forking import Program

WAIT_S = 40
TOKEN = "t0ken-of-a-monitor-1234"


class Server:
    """A `serve` that runs as a process."""

    def __init__(self, process: Program, url: str, client: httpx.Client) -> None:
        self.process = process
        self.url = url
        self._client = client

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a path."""
        return self._client.get(
            self.url + path, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )

    def until(self, path: str, status: int, **headers: str) -> httpx.Response:
        """Ask until the status comes."""
        end = time.monotonic() + WAIT_S
        while (response := self.get(path, **headers)).status_code != status:
            assert time.monotonic() < end, response.text
            time.sleep(0.05)
        return response

    def end(self) -> int:
        """End it as a supervisor does; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_S)


@contextmanager
def server(*args: str, **more: str) -> Iterator[Server]:
    """`serve` on a free port of loopback, ended with the block."""
    process = fork("serve", "--listen", "127.0.0.1:0", *args, **more)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"serving (https?://\S+/) ", line)
        assert found is not None, line + process.stderr.read()
        with httpx.Client() as client:
            yield Server(process, found[1], client)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_health_follows_the_latest_run(place: Place) -> None:
    """503 before the first run, 200 once one passed, 503 when one failed, and back; a request starts no run."""
    with server("good", "--every", "1s") as running:
        healthy = running.until("healthz", 200).json()
        assert (healthy["status"], healthy["verdict"], healthy["exit_code"]) == ("passed", "passed", 0)
        assert (healthy["every_s"], healthy["stale_after_s"]) == (1.0, 3.0)
        assert 0 <= healthy["age_s"] < 30
        place.site.down.set()
        assert running.until("healthz", 503).json()["status"] in ("failed", "stale")
        place.site.down.clear()
        running.until("healthz", 200)
        assert running.end() == 0


def test_requests_start_no_run(place: Place) -> None:
    """What is served is cached: twenty requests send none to the stack."""
    with server("good", "--every", "1h") as running:
        first = running.until("healthz", 200).json()["run"]
        before = len(place.site.seen)
        assert {running.get("healthz").json()["run"] for _ in range(20)} == {first}
        assert len(place.site.seen) == before


def test_metrics_are_read_by_the_official_parsers(place: Place) -> None:
    """In both formats, every figure is a gauge with its unit; the page is the report of the same run."""
    with server("bad", "--every", "1h") as running:
        end = time.monotonic() + WAIT_S
        while "xnai_validate_run_exit_code" not in (plain := running.get("metrics")).text:
            assert time.monotonic() < end
            time.sleep(0.05)
        families = {family.name: family for family in text_string_to_metric_families(plain.text)}
        assert families["xnai_validate_healthy"].samples[0].value == 0
        assert families["xnai_validate_run_exit_code"].samples[0].value == 1
        statuses = families["xnai_validate_http_request_status"].samples
        assert {sample.labels["check"]: sample.value for sample in statuses}["site/broken:boom"] == 500
        assert 0 < families["xnai_validate_http_request_total_seconds"].samples[0].value < 10
        opened = running.get("metrics", accept="application/openmetrics-text; version=1.0.0")
        assert opened.headers["content-type"].startswith("application/openmetrics-text")
        parsed = openmetrics_families(opened.text)  # type: ignore[no-untyped-call]
        assert {family.name for family in parsed} == set(families)
        page = running.get("")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert "A broken page is whole" in page.text
        assert page.headers["cache-control"] == "no-store"


def test_other_paths_methods_and_hosts_are_refused(place: Place) -> None:
    """404, 405, and 421 for a page of the web whose name leads to loopback."""
    with server("good", "--every", "1h") as running:
        running.until("healthz", 200)
        assert running.get("etc/passwd").status_code == 404
        assert httpx.post(running.url + "healthz").status_code == 405
        assert running.get("", host="evil.example:9797").status_code == 421
        assert running.get("healthz", host="localhost").status_code == 200


def test_a_token_is_needed_where_it_is_configured(place: Place) -> None:
    """Every path answers 401 without the right bearer token, also on loopback."""
    with server("good", "--every", "1h", "--token-env", "SITE_TOKEN", SITE_TOKEN=TOKEN) as running:
        for path in ("healthz", "metrics", "", "nothing"):
            refused = running.get(path)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert running.get(path, authorization=f"Bearer {TOKEN}x").status_code == 401
            assert running.get(path, authorization=f"Basic {TOKEN}").status_code == 401
        assert running.get("metrics", authorization=f"Bearer {TOKEN}").status_code == 200


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--listen", "0.0.0.0:0"), "--token-env NAME"),
        (("--listen", "[::]:0"), "--token-env NAME"),
        (("--listen", "0.0.0.0:0", "--token-env", "NOT_SET"), "holds no token of at least 16"),
        (("--listen", "0.0.0.0:0", "--token-env", "SHORT"), "holds no token of at least 16"),
        (("--listen", "9797"), "write HOST:PORT"),
        (("--listen", "203.0.113.7:80", "--token-env", "LONG"), "cannot listen on 203.0.113.7:80"),
        (("--tls-cert", "missing.pem"), "--tls-cert and --tls-key go together"),
        (("--listen", "127.0.0.1:0", "--tls-cert", "missing.pem", "--tls-key", "missing.pem"), "cannot be used"),
    ],
)
def test_what_would_be_open_or_broken_is_2(
    place: Place, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], message: str
) -> None:
    """Another address than loopback without a token, a wrong address or a missing file: no server, no run."""
    monkeypatch.setenv("SHORT", "abc")
    monkeypatch.setenv("LONG", TOKEN)
    result = place.invoke("serve", "good", *args)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())
    assert place.site.seen == []


def test_it_speaks_https(place: Place) -> None:
    """With a certificate and its key."""
    made = authority(place.path, identifiers=True)  # Python 3.13 asks for them
    made.server("localhost")
    pem = str(place.path / "server.pem")
    with server("good", "--every", "1h", "--tls-cert", pem, "--tls-key", pem) as running:
        assert running.url.startswith("https://")
        context = ssl.create_default_context(cafile=made.ca)
        response = httpx.get(running.url.replace("127.0.0.1", "localhost") + "healthz", verify=context)
        assert response.status_code in (200, 503)


def test_disruptive_checks_need_consent_on_the_command_line(place: Place) -> None:
    """XNAI_VALIDATE_ALLOW, which serves a single run, allows nothing here."""
    suite = place.path / "checks" / "site" / "web.yaml"
    check = "{id: breaks, title: A page, kind: http.request, with: {path: /ok}, disruptive: true}"
    suite.write_text(f"{suite.read_text()}  - {check}\n")
    with server("good", "--every", "1h", XNAI_VALIDATE_ALLOW="disruptive") as running:
        assert "1 skipped" in running.until("healthz", 200).json()["counts"]


def test_a_restarted_server_shows_the_runs_before_it(place: Place) -> None:
    """From the history: those of the same profile that reached their end, and none of another profile."""
    place.run("good")
    place.site.down.set()
    place.run("good")
    place.run("bad")
    place.site.down.clear()
    with server("good", "--every", "1h") as running:
        running.until("healthz", 200)
        assert "2 of the last 3 runs passed; passed since" in running.get("").text


def test_a_server_without_a_history_begins_its_trend(place: Place) -> None:
    """A database that cannot be read keeps no run from being served."""
    place.run("good")
    database = next(place.path.rglob("history.sqlite3"))
    database.unlink()
    database.mkdir()
    with server("good", "--every", "1h") as running:
        running.until("healthz", 200)
        assert "<h2>Trend</h2>" not in running.get("").text
