"""The figures of loads, from the facts of their checks."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET

import pytest

from tests.report.runs import Script
from xnai_validate.model.histogram import Histogram
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.formats.html import FORMAT as HTML
from xnai_validate.report.html.figures import (
    RANGES,
    answers_over_time,
    description,
    histogram,
    load_images,
    over_time,
    percentile_curve,
)
from xnai_validate.report.loads import Load, figure_text, loads_of, percent_text, streams_of
from xnai_validate.report.terminal.report import report_text
from xnai_validate.report.view import View


def windows(*latencies_ms: list[float]) -> JsonObject:
    """The fact of a load with a window for each list of latencies."""
    made: list[object] = []
    for each in latencies_ms:
        histogram = Histogram()
        histogram.record_many(int(ms * 1000) for ms in each)
        made.append(histogram.to_json())
    return {"window_ms": 500.0, "windows": made}  # type: ignore[dict-item]


def report(*facts: JsonObject) -> RunReport:
    """The report of a run with a check for each of `facts`."""
    script = Script("Loads", "x")
    for number, each in enumerate(facts):
        script.check(f"performance/load:n{number}", f"Load {number}", facts=each)
    return build_report(script.events())


FACTS: JsonObject = {
    "sent_count": 100,
    "throughput_rps": 50.0,
    "error_ratio": 0.02,
    "latency_windows": windows([float(n) for n in range(1, 51)], [float(n) for n in range(51, 101)]),
}


def load(facts: JsonObject = FACTS) -> Load:
    [found] = loads_of(report(facts).checks)
    return found


def test_percentiles_are_of_all_windows() -> None:
    """Within half a percent of the exact value, as the facts of the check itself."""
    found = load()
    assert (found.requests, found.rate, found.error_ratio) == (100, 50.0, 0.02)
    for q, ms in ((0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)):
        assert found.percentile_ms(q) == pytest.approx(ms, rel=0.005)


def test_ranges_cover_every_answer_once() -> None:
    """Their shares add up to one, and the last range ends with the longest latency."""
    shares = load().shares(12)
    assert len(shares) == 12
    assert sum(share for _, share in shares) == pytest.approx(1)
    assert shares[-1][0] == pytest.approx(100)


def test_bars_show_also_one_answer_of_a_thousand() -> None:
    """A single slow answer is what a load is measured for."""
    bars = load({"latency_windows": windows([1.0] * 999 + [5000.0])}).bars(12)
    assert bars == "█" + " " * 10 + "▁"


@pytest.mark.parametrize("latencies", [[3.0], [3.0, 3.0], [0.0], [0.001, 60_000.0]])
def test_few_and_equal_latencies_have_figures_too(latencies: list[float]) -> None:
    """One answer, equal answers, and answers below a microsecond."""
    found = load({"latency_windows": windows(latencies)})
    assert sum(share for _, share in found.shares(5)) == pytest.approx(1)
    assert len(found.bars(5)) == 5
    assert percentile_curve(found).startswith("data:image/svg+xml;base64,")


def test_a_load_that_several_checks_share_is_shown_once() -> None:
    """Two checks that judge one measurement have one row."""
    assert len(list(loads_of(report(FACTS, FACTS, {"latency_windows": windows([1.0])}).checks))) == 2


@pytest.mark.parametrize("fact", [None, 5, {"windows": [{"format": "other"}]}, {"windows": []}, windows([])])
def test_facts_without_latencies_are_no_load(fact: object) -> None:
    """A load that got no answer, or windows of another version: nothing is shown, and nothing fails."""
    assert list(loads_of(report({"latency_windows": fact}).checks)) == []  # type: ignore[dict-item]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_table_of_a_terminal(width: int) -> None:
    """Rate, percentiles and errors at every width, and the bars where there is room."""
    text = report_text(report(FACTS), View(width))
    for part in ("load:n0", "50/s", "p99", "99 ms", "2 %"):
        assert part in text
    assert max(map(len, text.splitlines())) <= width
    assert ("█" in text) is (width >= 80)
    assert "█" not in report_text(report(FACTS), View(width, unicode=False))


def test_the_curve_is_an_image_in_itself() -> None:
    """Well-formed SVG without scripts and without an address of anything to load."""
    for image in (percentile_curve(load()), histogram(load()), over_time(load())):
        assert image is not None
        svg = base64.b64decode(image.partition(",")[2]).decode()
        root = ET.fromstring(svg)
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "script" not in tags
        assert "image" not in tags
        assert "url(" not in svg


def test_the_histogram_names_its_largest_range() -> None:
    """Nine of ten answers in 5 ms: that is what a reader sees, in the image and in words."""
    image, words = list(load_images(load({"latency_windows": windows([5.0] * 90 + [900.0] * 10)})))[1]
    assert words.startswith("Latency of the answers: most, 90 %, took ")
    root = ET.fromstring(base64.b64decode(image.partition(",")[2]).decode())
    assert sum("bar" in (element.get("class") or "").split() for element in root.iter()) == RANGES


def test_errors_over_time_are_a_line_of_their_own() -> None:
    """Beside the answers, in the same windows, and in the description."""
    measured = windows([1.0], [2.0]) | {"errors": [0, 3]}
    failing = load({"latency_windows": measured})
    assert failing.errors == (0, 3)
    assert ">errors<" in base64.b64decode(answers_over_time(failing).partition(",")[2]).decode()
    assert [text for _, text in load_images(failing)][-1].endswith("a second, 3 errors")


def test_streams_show_how_long_tokens_were_waited_for() -> None:
    """The first token and the longest gap; the curve is that of the first event, not of the whole answer."""
    tokens: JsonObject = {"tokens": 100, "first_token_p50_ms": 212.0, "stream_gap_max_ms": 1204.0}
    streams = load(FACTS | tokens)
    assert "First event: " in description(streams)
    texts = [text for _, text in load_images(streams)]
    assert texts[-1] == "Waiting for tokens: first token p50 212 ms, longest gap max 1204 ms"
    assert len(texts) == 5


@pytest.mark.parametrize(
    ("number", "text"), [(0.01234, "0.0123"), (48.23, "48.2"), (100.4, "100"), (123456.7, "123457")]
)
def test_numbers_have_no_exponent(number: float, text: str) -> None:
    """A rate of a thousand is 1231, not 1.23e+03."""
    assert figure_text(number) == text


@pytest.mark.parametrize(("ratio", "text"), [(1.0, "100 %"), (0.996, "99.6 %"), (0.0005, "0.05 %"), (0.0, "0 %")])
def test_a_share_has_no_exponent(ratio: float, text: str) -> None:
    """A load without one good answer has 100 % errors, not 1e+02 %."""
    assert percent_text(ratio) == text
    shown = report_text(report({**FACTS, "error_ratio": ratio}), View(80))
    assert text in shown
    assert "e+" not in shown


def test_a_load_of_one_window_has_no_course() -> None:
    """A line needs two points."""
    assert over_time(load({"latency_windows": windows([1.0, 2.0])})) is None


def test_the_page_describes_its_figures_in_words() -> None:
    """For a reader who does not see them, and where images are not shown."""
    page = HTML.text(report(FACTS), View())
    assert description(load()) in page
    assert "Latency over time: the 99th percentile of a window is 50 to 100 ms" in page
    assert "Answers over time: 100 to 100 a second" in page
    assert page.count("<img src=") == page.count(' alt="') == 4
    assert "Latency of the answers: most, " in page
    assert "2 % errors" in page


def test_goodput_has_a_column_where_a_load_has_objectives() -> None:
    """And none where no load of the run has them."""
    assert "good" not in report_text(report(FACTS), View(120))
    text = report_text(report({**FACTS, "good_ratio": 0.875}, FACTS), View(120))
    assert "good" in text
    assert "87.5 %" in text


@pytest.mark.parametrize("width", [60, 120])
def test_a_search_shows_what_holds_and_what_breaks(width: int) -> None:
    """A rate, a number of virtual users, and a search that had to end."""
    script = Script("Loads", "x")
    rate: JsonObject = {"highest_rate": 118.0, "highest_users": None, "breaks_at": 124.0, "breaks_by": "p99 too long"}
    users: JsonObject = {"highest_rate": None, "highest_users": 40, "breaks_at": None, "breaks_by": None}
    ended: JsonObject = {"highest_rate": None, "highest_users": None, "breaks_at": 64.0, "breaks_by": "late"}
    for name, facts in (("rate", rate), ("users", users), ("ended", ended)):
        script.check(f"performance/capacity:{name}", "Capacity", kind="load.search", facts=facts)
    text = report_text(build_report(script.events()), View(width))
    for part in ("Most load that holds: 3", "118/s", "124", "p99 too long", "40 users", "not known"):
        assert part in text


STREAMS: JsonObject = {
    **FACTS,
    "tokens": 9000,
    "peak_streams": 40,
    "cancelled_count": 7,
    "tokens_per_s": 962.4,
    "stream_tokens_per_s": 48.23,
    "slow_stream_tokens_per_s": 30.1,
    "goodput_rps": 18.25,
    "good_ratio": 0.962,
    **{f"first_token_{name}_ms": ms for name, ms in (("p50", 212.0), ("p95", 400.0), ("p99", 512.0), ("max", 1204.0))},
    **{f"token_gap_{name}_ms": ms for name, ms in (("p50", 0.0), ("p95", 31.0), ("p99", 60.0), ("max", 66_000.0))},
    **{f"stream_gap_{name}_ms": None for name in ("p50", "p95", "p99", "max")},
}


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_streams_show_what_each_reader_got(width: int) -> None:
    """Waits by percentile, tokens a second of one user, cancelled streams and goodput; each word whole at any width."""
    text = report_text(report(FACTS, STREAMS), View(width))
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    for part in (
        "Streams: 1", "load:n1 p50 p95", "first token 212 ms 400 ms", "gap between tokens 0.0 ms 31 ms",
        "the median user gets 48.2 tokens/s; 95 % get at least 30.1",
        "100 streams, at most 40 at once, 7 cancelled, 962 tokens/s in all, goodput 18.2 streams/s (96.2 % good)",
    ):  # fmt: skip
        assert part in words
    assert "longest gap" not in words
    assert ("1.20 s" in words) is (width >= 80)


def test_streams_that_were_all_cancelled_are_shown() -> None:
    """They have no latency and no rate, so the table of loads leaves them out; that they were cancelled stays."""
    cancelled: JsonObject = {"sent_count": 3, "cancelled_count": 3, "stream_tokens_per_s": None}
    text = report_text(report({**cancelled, "latency_windows": windows([])}), View(80))
    assert "3 streams, 3 cancelled" in text
    assert "Loads:" not in text


def test_streams_that_several_checks_share_are_shown_once() -> None:
    """Two checks that judge one measurement, one without streams, and one that opened none."""
    none: JsonObject = {**STREAMS, "sent_count": 0, "latency_windows": windows([])}
    assert [found.check.id for found in streams_of(report(FACTS, STREAMS, STREAMS, none).checks)] == [
        "performance/load:n1"
    ]


def test_the_page_shows_the_streams_too() -> None:
    """The same figures in a table, and the same sentences."""
    page = HTML.text(report(STREAMS), View())
    assert '<td>first token</td><td class="number">212 ms</td>' in page
    assert "7 cancelled, 962 tokens/s in all" in page
