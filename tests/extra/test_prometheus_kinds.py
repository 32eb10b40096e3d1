"""`prometheus.query` and `prometheus.targets` against Debian's Prometheus, which scrapes itself and a closed port."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.context import observe
from tests.ports import free_port
from xnai_validate.kit import Target

pytestmark = pytest.mark.extra


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The server, from Debian, once it has scraped both targets."""
    if not shutil.which("prometheus"):
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "prometheus"], check=True, stdout=subprocess.DEVNULL)
    folder: Path = tmp_path_factory.mktemp("prometheus")
    port, closed = free_port(), free_port()
    jobs = [("self", port), ("dead", closed)]
    configs = [{"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{at}"]}]} for job, at in jobs]
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": configs}
    (folder / "prom.yml").write_text(json.dumps(config))
    command = ["prometheus", f"--config.file={folder}/prom.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    target = Target("prometheus", f"http://127.0.0.1:{port}")
    try:
        deadline = time.monotonic() + 60
        while observe("prometheus.query", target, query="up").facts["samples"] != 2:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.2)
        yield target
    finally:
        process.terminate()
        process.wait(20)


def test_queries_and_targets(server: Target) -> None:
    """Values, refusals and the health of targets are as the server has them."""
    assert observe("prometheus.query", server, query="sum(up)", expect={"value": 1}).held
    assert observe("prometheus.query", server, query="scalar(sum(up))", expect={"value": 1}).held
    assert not observe("prometheus.query", server, query="nothing_here").held
    assert "parse error" in str(observe("prometheus.query", server, query="sum(").facts["query_error"])
    facts = observe("prometheus.targets", server).facts
    assert (facts["targets"], facts["up"], facts["down"]) == (2, 1, 1)
    assert "refused" in str(facts["last_errors"])
    assert observe("prometheus.targets", server, job="self").held
