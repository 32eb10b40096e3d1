"""One check as a test item: its result, and the evidence that pytest shows of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xnai_validate import api
from xnai_validate.model.judging.findings import describe_finding
from xnai_validate.model.results.report import CheckInfo
from xnai_validate.model.text import printable
from xnai_validate.pytest_plugin.one_run import OneRun
from xnai_validate.report.evidence import evidence_lines
from xnai_validate.report.verdict_text import counts_sentence, verdict_reason, verdict_word
from xnai_validate.report.words import broken_rules, promise_of, reason_of, waiver_of

Flaky = "flaky"
"""The property of an item whose check held, but not at the first attempt; its value is the reason."""
FACTS_CAP = 4000
"""Characters of facts in the section of a failure; the stored run has all."""


class CheckItem(pytest.Item):
    """A check of a profile."""

    def __init__(self, *, info: CheckInfo, run: OneRun, **more: Any) -> None:
        super().__init__(**more)
        self.info = info
        self._run = run
        self.elapsed_s: float | None = None

    def setup(self) -> None:
        """Make the run if no item has; skip or end in an error where the check was not measured."""
        try:
            result = self._run.result(self.info.id)
        except api.XnaiError as error:
            text = f"{error.message}; {error.hint}" if error.hint else error.message
            pytest.fail(printable(text), pytrace=False)
        if result.status is api.Status.SKIP:
            pytest.skip(printable(result.reason or "no reason was given"))
        if result.status is api.Status.ERROR:
            pytest.fail(printable(result.reason or "it could not be measured"), pytrace=False)

    def runtest(self) -> None:
        """Pass or fail as the check did."""
        result = self._run.result(self.info.id)
        self.elapsed_s = result.elapsed_ms / 1000
        if result.status is api.Status.FLAKY:
            self.user_properties.append((Flaky, printable(reason_of(result))))
        if result.status in (api.Status.FLAKY, api.Status.WARN):
            self.add_report_section("call", result.status.value, printable(result.reason or ""))
        if result.status is api.Status.WAIVED:
            pytest.xfail(printable(waiver_of(result) or "waived"))
        if result.status is api.Status.FAIL:
            facts = json.dumps(result.facts, indent=1, ensure_ascii=False)
            self.add_report_section("call", "facts", "\n".join(map(printable, facts[:FACTS_CAP].split("\n"))))
            pytest.fail("\n".join(_failure(result)), pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the file and line of the check, and its id."""
        return Path(self.info.source.file), self.info.source.line - 1, self.info.id


def _failure(result: api.CheckResult) -> Iterator[str]:
    """Return the lines of a failure: what a person who repairs it needs."""
    yield f"{printable(result.title)} ({result.id})"
    findings = [describe_finding(finding, result.facts) for finding in broken_rules(result)]
    yield from (f"  {printable(text)}" for text in findings or [reason_of(result)])
    promise = promise_of(result)
    lines = {
        **dict(evidence_lines(result)),
        "target": result.target,
        **dict([promise] if promise else []),
        "waiver": waiver_of(result),
        "fix": " ".join(result.fix.split()) if result.fix else None,
        "file": f"{result.source.file}:{result.source.line}",
    }
    yield from (f"  {label}: {printable(text)}" for label, text in lines.items() if text)


def text_of_run(report: api.RunReport) -> Iterator[str]:
    """The notices of a run, criteria that are not met, and its verdict, a line each."""
    for notice in report.notices:
        if notice.level != "info":
            yield f"{notice.level}: {printable(notice.text)}"
    for criterion in report.criteria:
        if criterion.met is False:
            yield f"not met: {printable(f'{criterion.name}, planned {criterion.planned}, actual {criterion.actual}')}"
    yield f"run {report.run.id}: {counts_sentence(report)}"
    yield f"{verdict_word(report.verdict).upper()}: {printable(verdict_reason(report, report.exit_code))}"
