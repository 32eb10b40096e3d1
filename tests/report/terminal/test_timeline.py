"""The time line of a flow, in the report for people."""

from __future__ import annotations

from tests.report.runs import Script, finding
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.terminal.report import report_text
from xnai_validate.report.terminal.timeline import SHOWN, time_line
from xnai_validate.report.view import View


def step(name: str, held: JsonValue, elapsed_ms: JsonValue = 12.4) -> JsonObject:
    return {"name": name, "kind": "http.request", "started_ms": 0.0, "elapsed_ms": elapsed_ms, "held": held}


def test_a_failed_flow_shows_how_far_it_came() -> None:
    """One line below what was measured: each step with its time, which one failed, and which were not made."""
    steps: JsonValue = [step("create", True), step("read", False, 1520), step("list", None, 0.0), step("remove", True)]
    script = Script("Flows", "flows")
    findings = (finding("failed_steps", "equals", [], ["read: status expected 200, got 500"]),)
    facts: JsonObject = {"steps": steps, "failed_steps": ["read: status expected 200, got 500"]}
    script.check("tasks/flow:it", "A task is kept", Status.FAIL, kind="flow.steps", findings=findings, facts=facts)
    text = report_text(build_report(script.events()), View(120))
    assert "steps create 12 ms > read 1.52 s FAILED > list not run > remove 12 ms" in " ".join(text.split())


def test_facts_that_are_no_time_line_are_none() -> None:
    """Whatever a kind of others calls `steps` does no harm, and a long flow is cut."""
    others: list[JsonValue] = [
        None,
        3,
        "a",
        [],
        ["a"],
        [{"name": 1}],
        [{"name": "a"}],
        [{"name": "a", "elapsed_ms": "b"}],
    ]
    assert [time_line({"steps": other}) for other in others] == [None] * len(others)
    assert time_line({}) is None
    long = time_line({"steps": [step(f"s{n}", True) for n in range(SHOWN + 7)]})
    assert long is not None
    assert long.endswith("> s29 12 ms > 7 more")


def test_a_name_from_elsewhere_prints_as_text() -> None:
    """No escape sequence reaches the terminal."""
    assert time_line({"steps": [step("a\x1b[31m", True)]}) == "a\\x1b[31m 12 ms"
