"""The matrix: every check passes on the healthy stack and fails under a defect of a cover, and each of those is caught.

`make prove` tries the whole catalogue.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.tool import tool
from xnai_validate.demo.defects import CATALOGUE


@pytest.mark.ahead
@pytest.mark.timeout(1800)
def test_matrix(tmp_path: Path) -> None:
    """Every defect of the cover is caught by the checks named for it, and no bundled check survives them all."""
    done = tool(tmp_path, "prove", "--cover", "--jobs", "8", timeout=1500, fork=False)  # broken stacks mostly wait
    print(done.stdout)  # noqa: T201  # the matrix is part of what the tests show
    assert done.code == 0, done.stdout[-6000:]
    assert "every check passes on the healthy stack and fails under a defect" in done.stdout


def test_catalogue_of_defects_is_as_large_as_promised() -> None:
    """The catalogue has 360 defects or more; each is described in a line, and names the checks that must catch it."""
    assert len(CATALOGUE) >= 360
    assert not [defect.name for defect in CATALOGUE.values() if not defect.checks]
    assert all(defect.description and "\n" not in defect.description for defect in CATALOGUE.values())
