"""`--rerun failed`: the checks that failed in the last run."""

from __future__ import annotations

import json

from tests.cli.conftest import Place


def test_rerun_runs_what_failed(place: Place) -> None:
    """--rerun failed takes the failed and the blocked checks of the last run of the same profile."""
    place.run("bad")
    place.run("good")
    place.site.seen.clear()
    document = json.loads(place.run("bad", "--rerun", "failed", "--format", "json").stdout)
    assert {check["id"] for check in document["checks"]} == {"site/broken:boom", "site/broken:after"}
    assert place.site.seen == ["/boom"]
    again = place.run("good", "--rerun", "failed")
    assert again.exit_code == 2
    assert "no check failed in the last run of good" in again.stderr
