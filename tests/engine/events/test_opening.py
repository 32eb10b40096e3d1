"""What is heavy is imported before the first check, and only where it will be needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROFILE = """
title: One
suites: [one/all]
targets: {api: {url: "http://127.0.0.1:1"}}
"""
SUITE = "title: S\nchecks: [{{id: it, title: It, kind: {kind}, target: api}}]\n"
SCRIPT = """
import sys
from pathlib import Path
from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.options import LoadOptions
from xnai_validate.engine.events.opening import preload
preload(load_plan(("one",), LoadOptions(cwd=Path(sys.argv[1]))))
print("prometheus_client.parser" in sys.modules)
"""


@pytest.mark.parametrize(("kind", "needed"), [("metrics.samples", True), ("tcp.connect", False)])
def test_what_a_kind_names_is_imported_where_a_check_has_it(tmp_path: Path, kind: str, needed: bool) -> None:
    """A run of other kinds pays neither the time nor the memory."""
    for name, text in {
        "profiles/one.yaml": PROFILE,
        "checks/one/all.yaml": SUITE.format(kind=kind),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{needed}\n"
