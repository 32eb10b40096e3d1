"""Refusals of a breaker are recognised in every form that the stack promises."""

from __future__ import annotations

import pytest

from xnai_validate.checkers.breaker._driver.calls import envelope_faults
from xnai_validate.kit import JsonValue

ENVELOPE: dict[str, JsonValue] = {
    "message": "The service is being spared.",
    "category": "circuit_open",
    "http_status": 503,
    "timestamp": "2026-11-29T20:00:00Z",
    "details": {"service_name": "rag_api"},
    "recovery_suggestion": "Try again in 60 s.",
    "request_id": "req_0d7c2a34-91c1-4b61-8f0e-5b7a0c9e1f42",
}
HEADERS = {"x-request-id": str(ENVELOPE["request_id"])}


@pytest.mark.parametrize("code", ["circuit_open", "circuit_open_a24e"])
def test_an_error_code_may_have_a_suffix(code: str) -> None:
    """The stack's own exceptions add an underscore and four digits of a hash to the category."""
    assert envelope_faults({**ENVELOPE, "error_code": code}, 503, HEADERS, "rag_api") == []


@pytest.mark.parametrize("code", ["circuit_opened", "open", 503])
def test_another_error_code_is_a_fault(code: JsonValue) -> None:
    """Clients recognize an open circuit by the beginning of the code."""
    faults = envelope_faults({**ENVELOPE, "error_code": code}, 503, HEADERS, "rag_api")
    assert faults == ["error_code does not begin with circuit_open"]
