"""What is heavy is imported before the first check, and only where it will be needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROFILE = """
title: One
suites: [one/all]
targets: {{api: {{url: "http://127.0.0.1:1", {known}}}}}
"""
SUITE = "title: S\nchecks: [{{id: it, title: It, kind: {kind}, target: api}}]\n"
ASKED = """
import sys
from pathlib import Path
from xnai_validate.config import LoadOptions, load_plan
from xnai_validate.engine.preload import preload
preload(load_plan(("one",), LoadOptions(cwd=Path(sys.argv[1]))))
print("httpx" in sys.modules)
"""


@pytest.mark.parametrize(
    ("kind", "known", "needed"),
    [
        ("process.state", "pid: 1", False),
        ("process.state", "container: box", True),
        ("process.state", "container: box, pid: 1", False),
        ("process.state", "root: /", False),
        ("container.state", "container: box, pid: 1", True),
        ("container.state", "pid: 1", False),
    ],
)
def test_a_container_engines_client_is_imported_where_a_container_is_asked_for(
    tmp_path: Path, kind: str, known: str, needed: bool
) -> None:
    """A process that is known by its pid needs none: neither its 100 ms nor its memory."""
    for name, text in {
        "profiles/one.yaml": PROFILE.format(known=known),
        "checks/one/all.yaml": SUITE.format(kind=kind),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", ASKED, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{needed}\n"
