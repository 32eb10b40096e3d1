"""`lint`: all errors of profiles and suites."""

from __future__ import annotations

from tests.cli.conftest import Place


def test_lint_counts_what_it_verified(place: Place) -> None:
    """Without errors lint prints how much it has verified, by name, by path and by folder."""
    assert place.invoke("lint", "good").stdout == "2 checks in 1 suite and 1 profile: no errors\n"
    assert place.invoke("lint", "checks/site/web.yaml").stdout == "2 checks in 1 suite and 0 profiles: no errors\n"
    assert place.invoke("lint", "checks").stdout == "7 checks in 4 suites and 0 profiles: no errors\n"


def test_lint_reports_all_errors(place: Place) -> None:
    """Errors of several files are reported together, each with its line and a caret; exit 2."""
    (place.path / "checks" / "site" / "worse.yaml").write_text(
        "title: x\nchecks:\n  - {id: A b, title: t, kind: http.rq}\n"
    )
    result = place.invoke("lint", ".")
    assert result.exit_code == 2
    assert "profiles/mistaken.yaml:4:14" in result.stderr
    assert "checks/site/worse.yaml:3" in result.stderr
    for number, line in enumerate(result.stderr.splitlines()):
        if " | " in line and "^" in line:
            column = line.index("^")
            assert result.stderr.splitlines()[number - 1][column] not in (" ", "|")
