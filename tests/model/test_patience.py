"""Expressions that would never end are ended, and leave nothing behind."""

from __future__ import annotations

import gc
import signal
import threading
import time

import pytest

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.judging import rules
from xnai_validate.model.judging.cpu_limit import OutOfPatience, with_patience
from xnai_validate.model.judging.rules import Rule, judge, values_at

EVIL = "a" * 64 + "b"


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "PATIENCE_S", 0.2)


def test_a_regular_expression_that_never_ends_is_an_error() -> None:
    """A text from a server cannot hang a rule: what cannot be decided in time is not decided."""
    with pytest.raises(Unmeasurable, match=r"\(a\+\)\+\$"):
        judge([Rule("text", "matches", "(a+)+$")], {"text": EVIL})
    assert judge([Rule("text", "matches", "a+b")], {"text": EVIL})[0].held


@pytest.mark.parametrize(
    ("path", "document"),
    [("$[?search(@, '(a|a)+c')]", [EVIL]), ("$..*..*..*", [[[list(range(100))] * 100] * 100] * 10)],
)
def test_a_jsonpath_that_never_ends_is_an_error(path: str, document: object) -> None:
    """Neither an expression within a path nor a path that multiplies can hang a rule."""
    with pytest.raises(Unmeasurable, match="takes more than"):
        values_at(path, document)
    assert values_at("$[0]", [7]) == [7]


def test_nothing_rings_afterwards() -> None:
    """The timer is off and the handler is the one before, after success, failure and overrun alike."""
    before = signal.getsignal(signal.SIGVTALRM)
    assert with_patience(0.05, lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        with_patience(0.05, lambda: 1 / 0)
    with pytest.raises(OutOfPatience):
        with_patience(0.05, _forever)
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) == before
    assert gc.isenabled()
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass


def test_other_threads_work_without_a_bound() -> None:
    """Where no signal arrives, the work is done all the same."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(with_patience(0.01, lambda: sum(range(1000)))))
    thread.start()
    thread.join(20)
    assert found == [499500]


def _forever() -> None:
    while True:
        pass
