"""A dead man's switch: a request at the start and at the end of each run, whose absence raises the alarm elsewhere.

Source: the pinging API of Healthchecks.io: `URL/start`, `URL` for success, `URL/fail` for a failure; the body is kept
as a log, up to 100 kB.
"""

from __future__ import annotations

from functools import partial
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from xnai_validate.cli.notifying.deliveries import Delivery
from xnai_validate.cli.notifying.http_message import origin_of, post
from xnai_validate.model.results.report import RunReport
from xnai_validate.report.verdict_text import counts_sentence, verdict_reason, verdict_word
from xnai_validate.report.words import reason_of

NAMED = 50
"""Checks that are named in the body."""


def ping_url(url: str, signal: Literal["start", "fail"] | None) -> str:
    """Return the url of a signal: the name becomes the last part of the path, a query stays."""
    if signal is None:
        return url
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{signal}"))


def start_ping(url: str) -> Delivery:
    """Return the ping for the start of a run. It is not repeated: the one at the end counts."""
    return _make_delivery(url, "start", "", retried=False)


def end_ping(url: str, report: RunReport) -> Delivery:
    """Return the ping for the end of a run: success for exit code 0, else failure."""
    return _make_delivery(url, None if report.exit_code == 0 else "fail", summary(report))


def summary(report: RunReport) -> str:
    """Return the verdict, the counts, and a line for each root cause."""
    verdict = f"{verdict_word(report.verdict).upper()} (exit {report.exit_code})"
    lines = [f"{verdict}: {verdict_reason(report, report.exit_code)}", counts_sentence(report)]
    checks = {check.id: check for check in report.checks}
    lines += [f"{cause.id}: {reason_of(checks[cause.id])}" for cause in report.causes[:NAMED] if cause.id in checks]
    if len(report.causes) > NAMED:
        lines.append(f"and {len(report.causes) - NAMED} more")
    return "\n".join(lines) + "\n"


def _make_delivery(url: str, signal: Literal["start", "fail"] | None, body: str, *, retried: bool = True) -> Delivery:
    """Return the delivery of one ping; `retried`: it is sent again after a failure."""
    send = partial(post, ping_url(url, signal), body.encode("utf-8", "replace"), "text/plain; charset=utf-8")
    return Delivery(f"--ping {origin_of(url)}", send, retried)
