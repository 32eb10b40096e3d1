"""Compute the facts that every kind of load reports from what a drive has counted."""

from __future__ import annotations

from typing import Any

from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.tally import Tally
from xnai_validate.kit import Histogram, JsonValue

LAG_FLOOR_US = 5_000.0
"""Lag below this is that of any process on a machine with other work."""
LAG_SHARE = 0.25
CPU_FULL = 0.9


def load_figures(drive: Drive) -> dict[str, Any]:
    """The facts of `LoadFacts` by name, after `drive.run()`; a kind adds its own."""
    tally = drive.tally
    errors, answered = drive.errors_of(tally), tally.answered_count
    ended = answered + tally.errors
    good, due = _good(drive, tally), tally.sent + tally.not_sent - tally.abandoned - tally.cancelled
    until = max(tally.last_at, drive.ends if tally.for_s else 0.0)
    elapsed_s = max(until - tally.begun, 0.0)
    latency = merged(tally.windows)
    service = latency if drive.closed_loop else tally.service
    lag_us = tally.lag.quantile(0.99) or 0.0
    return {
        "planned_count": tally.sent + tally.not_sent,
        "sent_count": tally.sent,
        "completed_count": answered,
        "not_sent_count": tally.not_sent,
        "abandoned_count": tally.abandoned,
        "error_count": errors,
        "error_ratio": errors / ended if ended else None,
        "error_kinds": _count_kinds(tally, errors),
        "error_detail": tally.error_detail or _describe_wrong_status(drive, tally),
        "statuses": {str(status): count for status, count in sorted(tally.statuses.items(), key=str)},
        "good_count": good,
        "good_ratio": good / due if good is not None and due else None,
        "goodput_rps": good / elapsed_s if good is not None and elapsed_s else None,
        "throughput_rps": answered / elapsed_s if elapsed_s else None,
        **{f"p{name}_ms": ms(latency.quantile(q)) for name, q in QUANTILES.items()},
        "max_ms": ms(latency.max_us),
        "mean_ms": ms(latency.mean_us),
        "service_p50_ms": ms(service.quantile(0.5)),
        "service_p99_ms": ms(service.quantile(0.99)),
        "lag_p99_ms": lag_us / 1000,
        "lag_max_ms": (tally.lag.max_us or 0) / 1000,
        "own_cpu_ratio": drive.cpu_ratio,
        "too_slow_client": drive.division.too_slow or _too_slow(drive, lag_us, service.quantile(0.99)),
        "connection_count": drive.connections,
        "ended_early": drive.ended_because is not None,
        "ended_because": drive.ended_because,
        "elapsed_ms": elapsed_s * 1000,
        "latency_windows": windows_json(tally),
        "slices": drive.recorder.to_json(),
        "recorded_count": drive.recorder.line_count,
        **drive.division.facts(),
    }


QUANTILES = {"50": 0.5, "90": 0.9, "95": 0.95, "99": 0.99, "999": 0.999}


def merged(histograms: list[Histogram]) -> Histogram:
    """Return one histogram with everything that these have counted."""
    whole = Histogram()
    for histogram in histograms:
        whole.merge(histogram)
    return whole


def ms(us: float | None) -> float | None:
    """Milliseconds of microseconds."""
    return None if us is None else us / 1000


def windows_json(tally: Tally) -> JsonValue:
    """The latencies of a phase as the fact `latency_windows` has them."""
    windows: list[Any] = [window.to_json() for window in tally.windows]
    errors: list[Any] = tally.errors_by_window if any(tally.errors_by_window) else []
    return {"window_ms": round(tally.window_s * 1000, 3), "windows": windows, "errors": errors}


def _count_kinds(tally: Tally, errors: int) -> dict[str, int]:
    """Count the errors by kind; those with a wrong status are of the kind `status`."""
    kinds = dict(sorted(tally.kinds.items()))
    if errors > tally.errors:
        kinds["status"] = errors - tally.errors
    return kinds


def _good(drive: Drive, tally: Tally) -> int | None:
    """Requests that met their objectives; None where they have none."""
    if not drive.has_objectives:
        return None
    return sum(count for status, count in tally.good.items() if not drive.wrong(status))


def _describe_wrong_status(drive: Drive, tally: Tally) -> str | None:
    """Describe the first status that counts as an error; None without any."""
    wrong = next((status for status in tally.statuses if drive.wrong(status)), None)
    return None if wrong is None else f"answered {wrong}"


def _too_slow(drive: Drive, lag_us: float, service_us: float | None) -> bool:
    """See `LoadFacts.too_slow_client`."""
    late = lag_us > LAG_FLOOR_US and (service_us is None or lag_us > LAG_SHARE * service_us)
    return late or (drive.closed_loop and drive.cpu_ratio > CPU_FULL)
