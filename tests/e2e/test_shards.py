"""The shards of all of phase 4 on the embedded stack are worth the whole run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.tool import tool
from xnai_validate.report.formats.json import parse


@pytest.mark.prove
@pytest.mark.alone
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("defect", [(), ("--defect", "request-id-missing")], ids=["healthy", "defect"])
def test_three_shards_of_phase_4_are_the_whole_run(tmp_path: Path, defect: tuple[str, ...]) -> None:
    """Each shard on a stack of its own: same verdicts, criteria, causes, exit code. `make test` has a small one."""
    run = ("run", "phase4", "--demo", *defect, "-q")
    whole = tool(tmp_path, *run, "-o", str(tmp_path / "whole.json"), timeout=600)
    files = [str(tmp_path / f"shard-{number}.json") for number in (1, 2, 3)]
    for number, file in enumerate(files, 1):
        tool(tmp_path, *run, "--shard", f"{number}/3", "-o", file, timeout=600)
    merged = tool(tmp_path, "report", *files, "-q", "-o", str(tmp_path / "merged.json"))
    assert merged.code == whole.code == (1 if defect else 0), merged.stdout[-3000:]
    before, after = (parse((tmp_path / name).read_bytes()) for name in ("whole.json", "merged.json"))
    assert [(c.id, c.status, c.blocked_by) for c in after.checks] == [
        (c.id, c.status, c.blocked_by) for c in before.checks
    ]
    assert (after.criteria, after.summary, after.verdict) == (before.criteria, before.summary, before.verdict)
    assert [cause.id for cause in after.causes] == [cause.id for cause in before.causes]
