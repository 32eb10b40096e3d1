"""When a service that stays down is recovered: at which failures in a row, and how often."""

from __future__ import annotations

from xnai_validate.demo.api.monitoring.recovery import due


def _tries(service: str, action: str, failures: range) -> dict[int, int]:
    """Failure in a row -> number of the try of an action that is due at it."""
    attempts = {number: {step.action: attempt for step, attempt in due(service, number)} for number in failures}
    return {number: steps[action] for number, steps in attempts.items() if action in steps}


def test_redis_is_restarted_twice_two_checks_apart_and_again_after_a_pause() -> None:
    """The first restart is at the third failure, the second two checks later; ten checks after it it begins again."""
    assert _tries("redis", "restart", range(1, 18)) == {3: 1, 5: 2, 15: 3, 17: 4}


def test_other_steps_have_failures_of_their_own() -> None:
    """The cache is cleared at the fifth failure of the API, and a service without steps has none due."""
    assert _tries("rag_api", "restart", range(1, 5)) == {2: 1, 3: 2, 4: 3}
    assert _tries("rag_api", "clear_cache", range(1, 20)) == {5: 1}
    assert due("unknown", 5) == []
