"""`init`: errors, and a host without a stack; a stack is found in `tests/e2e/test_init.py`."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("profiles/good.yaml",), "already exists"),
        (("missing/stack.yaml",), "No such file or directory"),
        (("a" * 300,), "File name too long"),
        (("checks", "--force"), "it is a directory"),
        (("--target", "api"), "api is not of the form NAME=VALUE"),
    ],
)
def test_a_file_that_cannot_be_written_is_2(place: Place, args: tuple[str, ...], message: str) -> None:
    """The error comes before a connection is opened."""
    result = place.invoke("init", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in " ".join(result.stderr.split())
    assert place.site.seen == []
