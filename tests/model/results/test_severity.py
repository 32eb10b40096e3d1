"""The severity of a check that sets none."""

from __future__ import annotations

import pytest

from xnai_validate.model.results.severity import Severity, default_severity


@pytest.mark.parametrize(
    ("category", "tags", "practice", "severity"),
    [
        ("vikunja", ("preflight",), False, Severity.CRITICAL),
        ("environment", ("critical", "x"), True, Severity.CRITICAL),
        ("api", (), True, Severity.LOW),
        ("recovery", ("x",), False, Severity.HIGH),
        ("environment", (), False, Severity.LOW),
        ("alerts", (), False, Severity.MEDIUM),
        ("of-my-own", (), False, Severity.MEDIUM),
    ],
)
def test_the_first_rule_that_applies(category: str, tags: tuple[str, ...], practice: bool, severity: Severity) -> None:
    """Tags come before practices, practices before categories."""
    assert default_severity(category, tags, practice=practice) is severity


def test_the_gravest_comes_first() -> None:
    """The rank sorts critical, high, medium, low."""
    assert [severity.rank for severity in Severity] == [0, 1, 2, 3]
    assert sorted(Severity, key=lambda severity: severity.rank)[0] is Severity.CRITICAL
