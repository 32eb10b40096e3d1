"""The trend of the last runs on the page."""

from __future__ import annotations

from lxml import html

from tests.report.runs import passed
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.html.trend import HEIGHT, LOWEST, trend_of
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import PastRun, View


def run(minute: int, elapsed_ms: float, verdict: str = "passed", exit_code: int = 0) -> PastRun:
    """A run at a minute past eight."""
    return PastRun(f"2026-11-30T08:{minute:02d}:00.5Z", elapsed_ms, verdict, exit_code)


RUNS = (run(0, 1000.0), run(5, 4000.0, "undecided", 3), run(10, 2000.0, "failed", 1), run(15, 1.0, "failed", 1))


def test_each_run_is_a_bar_of_its_verdict_and_duration() -> None:
    """The newest at the right; the longest is the highest, and the shortest can be seen."""
    trend = trend_of(RUNS)
    assert trend is not None
    assert [bar.style for bar in trend.bars] == ["pass", "error", "fail", "fail"]
    assert [bar.height for bar in trend.bars] == [HEIGHT / 4, HEIGHT, HEIGHT / 2, LOWEST]
    assert all(bar.y + bar.height == HEIGHT for bar in trend.bars)
    assert [bar.x for bar in trend.bars] == [0, 25, 50, 75]
    assert trend.words == (
        "1 of the last 4 runs passed; failed since 2026-11-30 08:10:00 UTC; a run takes 2.00 s (median)"
    )


def test_one_run_has_no_trend() -> None:
    """A page that is written after a run has none; that of a server has one from its second run on."""
    assert trend_of(RUNS[:1]) is None
    report = build_report(passed())
    assert "Trend" not in FORMATS.get("html").text(report, View())
    page = html.document_fromstring(FORMATS.get("html").text(report, View(trend=RUNS)))
    assert len(page.xpath("//*[local-name()='svg'][@class='trend']/*[local-name()='rect']")) == len(RUNS)  # type: ignore[arg-type]
