"""Values from several places that should be equal."""

from __future__ import annotations

import pytest

from tests.checkers import counting
from tests.checkers.flow.counters import API, CALLS, watch
from tests.context import observe

pytestmark = pytest.mark.usefixtures("counters")


def test_values_of_one_measurement_are_read_at_once() -> None:
    """Watches that differ only in fact and path share one observation: values of one answer can be compared."""
    counting.COUNTERS["calls"] = 7
    seen = observe(
        "flow.agree",
        API,
        readings={"plain": CALLS, "keyed": watch("by_name", "calls"), "found": watch("document", "$.samples[0].value")},
    )
    assert seen.held, seen.facts
    assert len(counting.READS) == 1


@pytest.mark.parametrize(("together", "calls"), [(True, 0), (False, 1)])
def test_readings_are_made_at_once_or_in_order(together: bool, calls: int) -> None:
    """In order, one reading has ended before the next begins."""
    slow = {"kind": "counting.add", "fact": "ok", "with": {"turns": 200}}
    seen = observe("flow.agree", API, readings={"slow": slow, "calls": CALLS}, together=together)
    assert seen.facts["values"] == {"slow": True, "calls": calls}


def test_sources_with_the_same_state_agree() -> None:
    """A number and its text are equal, and so are texts but for the space around them."""
    counting.COUNTERS["calls"] = 3
    seen = observe("flow.agree", readings={"api": CALLS, "redis": watch("text", text=" 3.0 ")})
    assert seen.held
    assert (seen.facts["distinct"], seen.facts["values"]) == (1, {"api": 3, "redis": " 3.0 "})


def test_places_that_differ_do_not_agree() -> None:
    """Two values out of three places: two are distinct, and the check fails on `agree`."""
    readings = {"a": watch("text", text="open"), "b": watch("text", text="closed"), "c": watch("text", text="open")}
    seen = observe("flow.agree", readings=readings)
    assert [f.fact for f in seen.findings if not f.held] == ["agree"]
    assert seen.facts["distinct"] == 2


def test_a_source_without_a_state_does_not_agree() -> None:
    """A reading that fails or finds nothing is named; two sources without a value do not agree."""
    absent = watch("by_name", "none")
    seen = observe("flow.agree", readings={"a": absent, "b": absent, "c": watch("calls", broken=True)})
    assert not seen.held
    assert (seen.facts["agree"], seen.facts["distinct"]) == (False, 0)
    assert sorted(text.split(":")[0] for text in seen.facts["failed_readings"]) == ["a", "b", "c"]


def test_documents_agree_without_order_of_keys() -> None:
    """Whole documents are compared as values."""
    counting.COUNTERS["calls"] = 1
    seen = observe("flow.agree", readings={"a": watch("document", "$.samples"), "b": watch("document", "$['samples']")})
    assert seen.held
