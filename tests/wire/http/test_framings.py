"""Odd framings of responses: http.request and load.http give one verdict on each, the one in its file's name.

The files lie in `framings/`: `<name>.<verdict>.yaml` holds the bytes of a response (each character is a byte), after
which the server closes; the verdict is `ok` or the kind of the error.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.context import observe
from tests.scripted import raw_response, scripted
from xnai_validate.kit import Target

FRAMINGS = sorted((Path(__file__).parent / "framings").glob("*.yaml"))


def response_in(path: Path) -> bytes:
    """The bytes that a file describes."""
    text: str = yaml.safe_load(path.read_text(encoding="utf-8"))["response"]
    return text.encode("latin-1")


@pytest.mark.parametrize("path", FRAMINGS, ids=lambda path: path.stem)
def test_both_clients_give_the_verdict_of_the_files_name(path: Path) -> None:
    """A response is whole, or the same error, whichever client reads it."""
    verdict = path.stem.rpartition(".")[2]
    with scripted(raw_response(response_in(path))) as server:
        target = Target("api", server.url())
        facts = observe("http.request", target).facts
        load = observe("load.http", target, callers=1, **{"for": "50ms"}).facts
    assert (facts["error"] or "ok", "+".join(load["error_kinds"]) or "ok") == (verdict, verdict), facts["error_detail"]
    if verdict == "ok":
        assert (facts["status"], facts["text"]) == (200, "ok")
