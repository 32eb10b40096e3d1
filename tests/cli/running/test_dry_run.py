"""`--dry-run`: the plan, without a request."""

from __future__ import annotations

from tests.cli.conftest import Place


def test_a_dry_run_sends_no_request(place: Place) -> None:
    """A dry run shows the steps and what would be skipped, exits 0, and makes no request and no file."""
    result = place.run("bad", "--dry-run", "-o", "r.json")
    assert result.exit_code == 0
    assert "Step 1: 2 checks" in result.stdout
    assert "Step 2: 2 checks" in result.stdout
    assert "4 checks would run, 0 would be skipped" in result.stdout
    assert place.site.seen == []
    assert sorted(path.name for path in place.path.iterdir()) == ["checks", "profiles"]
