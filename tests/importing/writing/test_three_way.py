"""Edits of a person outlive a new version of a file that was written."""

from __future__ import annotations

import pytest

from xnai_validate.importing.writing.three_way import merge_edits

WRITTEN = "title: A\ntargets:\n  web: {url: a}\n  db: {url: b}\nsuites: [x]\n"


@pytest.mark.parametrize(
    ("edited", "new", "expected", "conflicts"),
    [
        (WRITTEN, WRITTEN.replace("url: b", "url: c"), WRITTEN.replace("url: b", "url: c"), 0),
        (WRITTEN.replace("title: A", "title: Mine"), WRITTEN, WRITTEN.replace("title: A", "title: Mine"), 0),
        (
            WRITTEN.replace("title: A", "title: Mine"),
            WRITTEN.replace("suites: [x]", "suites: [x, y]"),
            WRITTEN.replace("title: A", "title: Mine").replace("suites: [x]", "suites: [x, y]"),
            0,
        ),
        (
            WRITTEN.replace("url: b", "url: m"),
            WRITTEN.replace("url: b", "url: n"),
            WRITTEN.replace("url: b", "url: m"),
            1,
        ),
        (
            WRITTEN.replace("url: b", "url: n"),
            WRITTEN.replace("url: b", "url: n"),
            WRITTEN.replace("url: b", "url: n"),
            0,
        ),
        (
            WRITTEN + "# mine\n",
            WRITTEN.replace("  db: {url: b}\n", ""),
            WRITTEN.replace("  db: {url: b}\n", "") + "# mine\n",
            0,
        ),
        ("", WRITTEN, "", 0),
    ],
    ids=["no edit", "no change", "both", "same line", "same edit", "removed and added", "all removed"],
)
def test_edits_are_kept(edited: str, new: str, expected: str, conflicts: int) -> None:
    """A change is made where the person changed nothing; of a line that both changed, the person's stays."""
    merged = merge_edits(WRITTEN, edited, new)
    assert (merged.text, merged.conflicts) == (expected, conflicts)
