"""A request that was sent many times, as evidence."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from xnai_validate.model.results.exchange import Exchange, recorder
from xnai_validate.wire.repeated import Repeated, record_repeated


@dataclass(frozen=True)
class Single:
    """One exchange of many."""

    def exchange(self) -> Exchange:
        """Return one that never ended."""
        return Exchange(protocol="http", request="GET http://h/", failure="no response: connect", stages={"wait": 1.0})


@pytest.mark.parametrize(
    ("answers", "response"),
    [
        ({}, None),
        ({"200": 3}, "200 (3 of 9)"),
        ({"200": 3, "503": 2, "404": 1}, "503 (2 of 9), 404 (1 of 9), 200 (3 of 9)"),
    ],
)
def test_answers_are_counted_by_status(answers: dict[str, int], response: str | None) -> None:
    """The highest status first, which is the one that explains a failure; the failure is that of all requests."""
    with recorder() as kept:
        record_repeated(Repeated(Single(), 9, answers, None, 1234.56))
    (made,) = kept.exchanges()
    assert (made.request, made.response, made.failure) == ("GET http://h/", response, None)
    assert (made.load_count, made.elapsed_ms, made.stages) == (9, 1234.6, {})
