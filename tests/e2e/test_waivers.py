"""A waiver as a user meets it: a run that fails, is accepted, and fails again; in every format of the report."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.e2e.tool import tool

PROFILE = "title: Mine\nsuites: [own/*]\ntargets: {api: {url: 'http://127.0.0.1:9'}}\n"
SUITE = "title: Own\nchecks:\n  - {id: up, title: It answers, kind: tcp.connect, target: api}\n"


def test_a_waiver_accepts_a_failure_until_it_expires(tmp_path: Path) -> None:
    """Exit 1 without it; 0 with it, and every format shows it; 1 again once it has expired."""
    for name, text in (("profiles/mine.yaml", PROFILE), ("checks/own/it.yaml", SUITE)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert tool(tmp_path, "run", "mine").code == 1

    def waive(days: int) -> None:
        until = (datetime.now(UTC).date() + timedelta(days=days)).isoformat()
        text = f"waivers:\n  - {{check: 'own/*', reason: it moves, until: {until}, owner: ops}}\n"
        (tmp_path / "profiles/waivers.yaml").write_text(text, encoding="utf-8")

    waive(20)
    names = ("r.json", "r.xml", "r.html", "r.md", "r.tap", "r.prom", "r.txt")
    done = tool(tmp_path, "run", "mine", *(part for name in names for part in ("-o", name)))
    assert (done.code, done.stderr) == (0, "")
    assert "1 failure is waived" in done.stdout
    for name in names:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert "waived" in text, name
        assert "it moves" in text or name == "r.prom", name
    document = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert document["summary"]["waived"] == 1
    assert document["checks"][0]["waiver"]["owner"] == "ops"
    assert ET.parse(tmp_path / "r.xml").find(".//testcase/skipped") is not None
    assert (
        "::notice file=checks/own/it.yaml,line=3,title=waived" in tool(tmp_path, "report", "--format", "github").stdout
    )
    waive(-1)
    done = tool(tmp_path, "run", "mine")
    assert done.code == 1
    assert "expired on" in done.stdout
    assert "expired on" in tool(tmp_path, "lint", "mine").stderr
