"""Figures of the page as embedded images: each is described in words, and follows a light or dark page."""

from __future__ import annotations

import base64
import math
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pygal
from pygal.style import Style

from xnai_validate.model.histogram import Histogram
from xnai_validate.report.loads import Load, figure_text, percent_text

# pygal adds a finder of an old protocol, which Python names at every later import.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

WIDTH, HEIGHT = 360, 210
RANGES = 16
"""Ranges of the histogram."""
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9999)
"""Shares of the answers at which the curve of percentiles has a point."""
_LABELLED = {0.5: "50 %", 0.9: "90 %", 0.99: "99 %", 0.999: "99.9 %"}
_SVG = "http://www.w3.org/2000/svg"
ET.register_namespace("", _SVG)
_DARK = (
    "<style>.axis path { stroke: #d0d7de !important; } @media (prefers-color-scheme: dark) {"
    " text { fill: #c9d1d9 !important; } .axis path { stroke: #30363d !important; } }</style>"
)
_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="#57606a",
    foreground_strong="#24292f",
    foreground_subtle="#afb8c1",
    colors=("#2a93a8", "#e5534b"),
    opacity="1",
    stroke_width="2",
    stroke_opacity="1",
    guide_stroke_dasharray="none",
    major_guide_stroke_dasharray="none",
    font_family="system-ui, sans-serif",
    label_font_size=11,
    major_label_font_size=11,
    legend_font_size=12,
    title_font_size=13,
)


def load_images(load: Load) -> Iterator[tuple[str, str]]:
    """Yield the images of a load, each with what it shows in words."""
    yield percentile_curve(load), description(load)
    yield histogram(load), _describe_shares(load)
    course = over_time(load)
    if course is not None:
        yield course, _describe_latencies(load)
        yield answers_over_time(load), _describe_rate(load)
    waits = token_waits(load)
    if waits is not None:
        yield (
            waits,
            "Waiting for tokens: " + ", ".join(f"{name} {figure_text(ms)} ms" for name, ms in _token_waits(load)),
        )


def percentile_curve(load: Load) -> str:
    """Return the image of latency against the share of answers, on a scale that widens towards 100 %."""
    points = [(_nines(q), load.percentile_ms(q)) for q in QUANTILES if load.latency.count * (1 - q) >= 1 or q <= 0.5]
    # 100 % is infinitely far away on this scale: the longest latency stands half an answer before it.
    points.append((_nines(1 - 1 / (2 * load.latency.count)), load.percentile_ms(1.0)))
    chart = pygal.XY(
        **_chart_options(f"{_subject(load)} (ms) by percentile"),
        x_labels=[{"value": _nines(q), "label": label} for q, label in _LABELLED.items() if _nines(q) <= points[-1][0]],
        show_legend=False,
    )
    chart.add("latency", [(x, round(y, 3)) for x, y in points if y is not None])
    return _image(chart)


def histogram(load: Load) -> str:
    """Return the image of how many answers had which latency, in ranges of equal width on a logarithmic scale."""
    shares = load.shares(RANGES)
    chart = pygal.Bar(
        **_chart_options(f"Answers (%) by {_subject(load).lower()} (ms)"),
        show_legend=False,
        x_labels=[figure_text(end) for end, _ in shares],
        x_labels_major_count=4,
        show_minor_x_labels=False,
        truncate_label=-1,
        spacing=2,
    )
    chart.add("answers", [round(100 * share, 3) for _, share in shares])
    return _image(chart)


def over_time(load: Load) -> str | None:
    """Return the image of the median and the 99th percentile by the second; None for a load of one window."""
    windows = _counted_windows(load)
    if len(windows) < 2:
        return None
    chart = pygal.XY(**_chart_options(f"{_subject(load)} (ms) over time (s)"), legend_at_bottom=True)
    for name, q in (("p50", 0.5), ("p99", 0.99)):
        chart.add(name, [(round(second, 3), round((window.quantile(q) or 0) / 1000, 3)) for second, window in windows])
    return _image(chart)


def answers_over_time(load: Load) -> str:
    """Return the image of the answers a second over time, and of the errors a second where there were any."""
    chart = pygal.XY(
        **_chart_options("Answers a second over time (s)"),
        legend_at_bottom=True,
        include_y_axis=True,
        show_legend=any(load.errors),
    )
    for name, counts in (("answers", [window.count for window in load.windows]), ("errors", load.errors)):
        if any(counts):
            rates = [(number * load.window_s, count / load.window_s) for number, count in enumerate(counts)]
            chart.add(name, [(round(second, 3), round(rate, 3)) for second, rate in rates])
    return _image(chart)


def token_waits(load: Load) -> str | None:
    """Return the image of the times to the first token and between tokens; None for a load of anything but streams."""
    waits = _token_waits(load)
    if not waits:
        return None
    chart = pygal.HorizontalBar(
        **_chart_options("Waiting for tokens (ms)") | {"show_x_guides": False},
        show_legend=False,
    )
    chart.value_formatter = figure_text
    chart.x_labels = [name for name, _ in reversed(waits)]
    chart.add("ms", [ms for _, ms in reversed(waits)])
    return _image(chart)


def _token_waits(load: Load) -> list[tuple[str, float]]:
    """Return the waiting times for tokens of a load that was measured on streams."""
    names = {"first_token": "first token", "stream_gap": "longest gap"}
    return [
        (f"{name} {quantile}", float(ms))
        for fact, name in names.items()
        for quantile in ("p50", "p95", "max")
        if isinstance(ms := load.check.facts.get(f"{fact}_{quantile}_ms"), int | float)
    ]


def _subject(load: Load) -> str:
    """What the latency of a load is."""
    return "First event" if load.streams else "Latency"


def _counted_windows(load: Load) -> list[tuple[float, Histogram]]:
    """Return the windows with responses, each with the second at which it begins."""
    return [(number * load.window_s, window) for number, window in enumerate(load.windows) if window.count]


def _describe_latencies(load: Load) -> str:
    """Describe the course of the latencies in words."""
    p99s = [(window.quantile(0.99) or 0) / 1000 for _, window in _counted_windows(load)]
    least, most = figure_text(min(p99s)), figure_text(max(p99s))
    return f"{_subject(load)} over time: the 99th percentile of a window is {least} to {most} ms"


def _describe_shares(load: Load) -> str:
    """Describe the largest range of the histogram in words."""
    shares = load.shares(RANGES)
    number = max(range(len(shares)), key=lambda at: shares[at][1])
    begin = (load.latency.min_us or 0) / 1000 if number == 0 else shares[number - 1][0]
    end, share = shares[number]
    return (
        f"{_subject(load)} of the answers: most, {percent_text(share)}, took {figure_text(begin)} to "
        f"{figure_text(end)} ms"
    )


def _describe_rate(load: Load) -> str:
    """Describe the course of the rate in words."""
    rates = [window.count / load.window_s for window in load.windows]
    words = f"Answers over time: {figure_text(min(rates))} to {figure_text(max(rates))} a second"
    return f"{words}, {sum(load.errors)} errors" if load.errors else words


def description(load: Load) -> str:
    """Return in words what the curve shows, for readers who do not see it."""
    values = ((label, load.percentile_ms(q)) for q, label in {**_LABELLED, 1.0: "all"}.items())
    return f"{_subject(load)}: " + ", ".join(
        f"{label} within {figure_text(ms)} ms" for label, ms in values if ms is not None
    )


def _nines(q: float) -> float:
    """The place of a share on the scale: 90 %, 99 % and 99.9 % are equally far from one another."""
    return -math.log10(1 - q)


def _chart_options(title: str) -> dict[str, object]:
    """Return the options of a pygal chart."""
    return {
        "title": title,
        "style": _STYLE,
        "width": WIDTH,
        "height": HEIGHT,
        "show_dots": False,
        "stroke_style": {"width": 2},
        "max_scale": 6,
        "show_x_guides": True,
        "include_x_axis": True,
        "js": [],
        "disable_xml_declaration": True,
        "margin": 4,
        "margin_right": 16,
    }


def _image(chart: pygal.XY | pygal.HorizontalBar) -> str:
    """The chart as a `data:` url; a page shows such an image without running or loading anything in it."""
    root = ET.fromstring(chart.render(is_unicode=True).replace("</defs>", f"</defs>{_DARK}", 1))
    for parent in root.iter():
        for script in parent.findall(f"{{{_SVG}}}script"):
            parent.remove(script)
    svg = ET.tostring(root, encoding="unicode")
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
