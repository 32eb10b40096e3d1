"""What to do about a failure fits what failed."""

from __future__ import annotations

import pytest

from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results.fixes import HINTS, fix_for

FIXES = {"refused": "start it", "status": "read its log", "json": "upgrade it"}


def broken(fact: str) -> Finding:
    return Finding(fact, "equals", 1, 2, False, "expect")


@pytest.mark.parametrize(
    ("fact", "error", "fix"),
    [
        ("error", "refused", "start it"),
        ("error", "timeout", "anything else"),
        ("error", "tls", HINTS["tls"]),
        ("status", None, "read its log"),
        ("json $.a.b", None, "upgrade it"),
        ("size_bytes", None, "anything else"),
    ],
)
def test_the_fix_is_that_of_the_error_or_of_the_fact(fact: str, error: str | None, fix: str) -> None:
    """By the kind of error, then by the fact, then what helps in general with that error, then the author's word."""
    assert fix_for("anything else", FIXES, [broken(fact)], {"error": error}) == fix


def test_a_rule_that_holds_asks_for_nothing() -> None:
    """The fix of a fact is shown for a rule that does not hold only."""
    held = Finding("status", "equals", 1, 1, True, "expect")
    assert fix_for(None, FIXES, [held, broken("size_bytes")], {}) is None


def test_the_author_may_know_better_than_the_general_hint() -> None:
    """A fix for `tls` of the check itself comes before the general one."""
    assert fix_for(None, {"tls": "renew it"}, [broken("error")], {"error": "tls"}) == "renew it"


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("certificate has expired", "Renew the certificate"),
        ("Hostname mismatch, certificate is not valid for 'x'.", "for another name"),
        ("IP address mismatch, certificate is not valid for '::1'.", "for another name"),
        ("unable to get local issuer certificate", "tls: {ca: FILE}"),
        ("self-signed certificate in certificate chain", "tls: {ca: FILE}"),
        ("certificate is not yet valid", "clocks"),
        ("EE certificate key too weak", "Correct the target's `tls`"),
    ],
)
def test_a_certificate_has_the_remedy_of_its_fault(words: str, advice: str) -> None:
    """By the words of OpenSSL; what they do not name gets the general hint."""
    facts = {"error": "tls", "error_detail": f"TLS handshake with h:1: the certificate does not verify: {words}"}
    assert advice in (fix_for(None, {}, [broken("error")], facts) or "")


@pytest.mark.parametrize(
    ("kinds", "fact", "fix"),
    [
        ({"refused": 9, "timeout": 1}, "error_ratio", "start it"),
        ({"status": 9, "refused": 1}, "error_count", "read its log"),
        ({"tls": 1}, "error_ratio", HINTS["tls"]),
        ({"reset": 3}, "error_ratio", "anything else"),
        ({"refused": 9}, "p99_ms", "anything else"),
        ({}, "error_ratio", "anything else"),
    ],
)
def test_a_load_has_the_fix_of_the_error_that_came_most_often(kinds: dict[str, int], fact: str, fix: str) -> None:
    """Its errors are counted by kind; a limit of a time that is broken has other reasons."""
    assert fix_for("anything else", FIXES, [broken(fact)], {"error_kinds": kinds}) == fix
