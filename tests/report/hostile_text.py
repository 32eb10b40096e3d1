"""Runs in which a server's text is everywhere, for the promise that no text breaks a format."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.report.runs import Script, at_least, finding
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


def report_with(text: str) -> RunReport:
    """Return the report of a run that has `text` in every place where a server's text may be."""
    script = Script(text, "x", (at_least("a", 9),))
    findings = (finding("x", "equals", 1, text), finding(f"json {text}", "contains", text, [text]))
    script.check(
        "a/b:c",
        text,
        Status.FAIL,
        reason=text,
        findings=findings,
        fix=text,
        facts={"f": text},
        exchanges=_exchanges(text),
    )
    script.check("a/b:d", text, Status.ERROR, reason=text)
    script.check("a/b:e", text, Status.SKIP, reason=text)
    script.notice(text)
    return build_report(script.events())


def _exchanges(text: str) -> tuple[Exchange, ...]:
    http = Exchange(
        protocol="http",
        request=f"GET {text}",
        request_headers={text: text},
        request_body=text,
        response=text,
        response_headers={"content-type": text, text: text},
        response_body=text,
        response_end=text,
        failure=text,
        options={"--cacert": text},
    )
    return http, Exchange(protocol="redis", request=text, response=text, failure=text, options={"-h": text})
