"""`run --workers`, as the command is used: processes of this host, a scheduler with TLS, and no scheduler at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import authority
from tests.cli.conftest import Place
from tests.ports import free_port
from tests.scripted import Scripted, ok, scripted
from tests.workers.dask_processes import DaskProcesses, dask_processes
from tests.workers.tcp_proxy import tcp_proxy
from tests.workers.test_orders import SECRET, has_secret, own_address
from xnai_validate import durations

PROFILE = """
title: A load
targets: {{api: {{url: "{url}", auth: {{scheme: bearer, secret_env: LAB_TOKEN}}}}}}
suites: [lab/*]
"""
SUITE = """
title: Loads
checks:
  - id: http
    title: Many requests
    kind: load.http
    target: api
    timeout: 60s
    with: {arrivals: {rate: 40}, for: 500ms}
    expect: {sent_count: 20}
"""


def run(folder: Path, server: Scripted, *options: str, **environment: str) -> tuple[int, Any, str]:
    """Exit code, report and stderr of a run of a single load."""
    for name, text in (("profiles/lab.yaml", PROFILE.format(url=server.url())), ("checks/lab/loads.yaml", SUITE)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "xnai_validate", "run", "lab", "--format", "json", *options],
        cwd=folder,
        env={**os.environ, "XNAI_VALIDATE_STATE": str(folder / "state"), "LAB_TOKEN": SECRET, **environment},
        capture_output=True,
        text=True,
        timeout=180,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def test_processes_of_this_host_send_a_load(tmp_path: Path) -> None:
    """`--workers local:2` starts two processes, which send the load together and end with the run."""
    with scripted(ok(b"{}")) as server:
        code, report, stderr = run(tmp_path, server, "--workers", "local:2")
    assert code == 0, stderr
    [check] = report["checks"]
    assert check["facts"]["workers"] == 2
    assert check["facts"]["sent_count"] == len(server.requests) == 20
    assert {request.headers["authorization"] for request in server.requests} == {f"Bearer {SECRET}"}
    assert "Traceback" not in stderr
    assert SECRET not in json.dumps(report) + stderr


def test_no_scheduler_is_exit_2(tmp_path: Path) -> None:
    """Nothing is sent where the scheduler does not answer."""
    with scripted(ok(b"{}")) as server:
        code, report, stderr = run(tmp_path, server, "--workers", f"tcp://127.0.0.1:{free_port()}")
    assert code == 2
    assert report is None
    assert "no scheduler answers" in stderr
    assert server.requests == []


def test_the_expected_duration_is_that_with_the_workers(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown once, when it is known how many workers measure: here each makes a hundredth of a check at a time."""
    monkeypatch.setattr(durations, "AT_ONCE_EACH", 0.01)
    targets = f"targets: {{api: {{url: '{place.site.url}'}}}}\n"
    profile = "title: Places\nsuites: [site/web]\ndefaults: {from: workers}\n" + targets
    (place.path / "profiles/places.yaml").write_text(profile)
    with dask_processes(place.path, ("edge",)) as dask:
        result = place.run("places", "--workers", dask.url)
    assert result.exit_code == 0, result.output
    assert result.stderr.count("stopped after") == 1
    assert result.stderr.startswith("about 10 s; stopped after"), result.stderr


@pytest.mark.prove
def test_secrets_travel_encrypted(tmp_path: Path) -> None:
    """With `tls://` and the certificates of Dask's configuration secrets are sent, and none can be read on the wire."""
    host = own_address()
    certificates = authority(tmp_path)
    certificates.server(host)
    pem, worker_port = str(tmp_path / "server.pem"), free_port()
    tls = ["--tls-ca-file", certificates.ca, "--tls-cert", pem, "--tls-key", pem]
    dask = DaskProcesses(tmp_path, host, free_port())
    with ExitStack() as exits:
        exits.callback(dask.end)
        server = exits.enter_context(scripted(ok(b"{}")))
        dask.start_scheduler("--protocol", "tls", *tls)
        dask.await_scheduler()
        to_scheduler = exits.enter_context(tcp_proxy(dask.port, host))
        to_worker = exits.enter_context(tcp_proxy(worker_port, host))
        url = f"tls://{host}:{to_scheduler.port}"
        at = ["--listen-address", f"tls://{host}:{worker_port}", "--contact-address", f"tls://{host}:{to_worker.port}"]
        dask.start_worker("w0", *at, *tls, url=url)
        dask.await_workers()
        names = {"CA_FILE": certificates.ca, "CLIENT__CERT": pem, "CLIENT__KEY": pem}
        environment = {f"DASK_DISTRIBUTED__COMM__TLS__{name}": value for name, value in names.items()}
        code, report, stderr = run(tmp_path, server, "--workers", url, **environment)
        assert code == 0, stderr
        assert report["checks"][0]["facts"]["workers"] == 1
        assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"
        assert to_scheduler.carried
        assert to_worker.carried
        assert not has_secret(to_scheduler)
        assert not has_secret(to_worker)
        assert not any(SECRET in dask.log(name) for name in ("scheduler", "w0"))
