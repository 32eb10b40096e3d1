"""`--wait` beside a container engine that knows that the container has ended."""

from __future__ import annotations

import time
from pathlib import Path

from tests.checkers.container_api import container_api
from tests.e2e.tool import tool

PROFILE = "title: Shop\nsuites: [shop/*]\ntargets: {web: {url: 'http://127.0.0.1:9', container: shop-web-1}}\n"
SUITE = """
title: Front
defaults: {target: web}
checks:
  - {id: port, title: The port, kind: tcp.connect}
  - {id: page, title: The page, kind: http.request, with: {path: /}, needs: [port]}
"""
ENDED = {"Status": "exited", "Running": False, "OOMKilled": True, "Pid": 0, "ExitCode": 137}


def test_a_container_that_was_killed_ends_the_wait(tmp_path: Path) -> None:
    """Neither the targets nor the checks that others need wait for it: the run fails at once, with the reason."""
    for name, text in (("profiles/shop.yaml", PROFILE), ("checks/shop/front.yaml", SUITE)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    with container_api(tmp_path / "engine.sock") as engine:
        inspection = {"Id": "a" * 64, "Created": "2026-01-01T00:00:00Z", "State": ENDED, "Name": "/shop-web-1"}
        engine.give("GET /containers/shop-web-1/json", inspection)
        begun = time.monotonic()
        done = tool(tmp_path, "run", "shop", "--wait", "90s", env={"DOCKER_HOST": f"unix://{engine.path}"})
    assert done.code == 1
    assert time.monotonic() - begun < 45
    text = " ".join(done.stdout.split())
    assert "its container shop-web-1 has exited with code 137 (killed for its use of memory); the wait ended" in text
    assert "blocks shop/front: page (1 check)" in text
