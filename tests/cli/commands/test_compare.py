"""`compare`: two runs or baselines, as a table and as JSON."""

from __future__ import annotations

import json

from tests.cli.conftest import Place


def test_the_same_run_is_not_compared(place: Place) -> None:
    """A run compared with itself is an error, by whatever names."""
    place.run("good", "-o", "r.json")
    for names in (("last", "last"), ("r.json", "last")):
        result = place.invoke("compare", *names)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "are the same run" in result.stderr


def test_runs_of_other_profiles_are_not_compared(place: Place) -> None:
    """The error names what differs and how to go on."""
    place.run("good", "-o", "good.json")
    place.run("odd")
    result = place.invoke("compare", "good.json", "last")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "other profiles: good before, odd now" in result.stderr
    assert "compare runs of the same profile on the same host" in result.stderr


def test_runs_without_figures_are_3(place: Place) -> None:
    """Without a load and without memory no figure can be compared; JSON has an empty list of them."""
    place.run("good", "-o", "first.json")
    place.run("good")
    result = place.invoke("compare", "first.json", "last", "--format", "json")
    assert result.exit_code == 3
    comparison = json.loads(result.stdout)
    assert (comparison["figures"], comparison["checks"]) == ([], 2)
    words = " ".join(place.invoke("compare", "first.json", "last").stdout.split())
    for sentence in (
        "2 checks in both runs: all verdicts are equal no figure could be compared",
        "neither run has latencies of a load, or memory that a check judges",
        "no check fails that passed before, but no figure shows whether the later run is worse (exit 3)",
    ):
        assert sentence in words


def test_verdicts_that_changed(place: Place) -> None:
    """Of two runs, checks that fail now, that pass again, that are new and that are gone are listed; failing is 1."""
    suite = place.path / "checks" / "site" / "web.yaml"
    text = suite.read_text()
    place.run("good", "-o", "before.json")
    suite.write_text(text.replace("$.status: ok", "$.status: fine"))
    place.run("bad", "-o", "after.json")
    result = place.invoke("compare", "before.json", "last", "--format", "json")
    assert result.exit_code == 1
    comparison = json.loads(result.stdout)
    (verdict,) = comparison["verdicts"]
    assert (verdict["check"], verdict["before"], verdict["after"]) == ("site/web:json", "pass", "fail")
    assert "fine" in verdict["reason"]
    assert (comparison["new"], comparison["gone"]) == (["site/broken:boom", "site/broken:after"], [])
    assert comparison["notes"][0] == "figures are not compared: other profiles: good before, bad now"
    back = place.invoke("compare", "after.json", "before.json")
    assert back.exit_code == 3
    assert "fail -> pass      site/web:json" in back.stdout
    assert "gone              2 checks: site/broken: boom, after" in back.stdout
    assert "2 checks in both runs: 1 verdict changed" in back.stdout
    assert "the later run is worse (exit 1)" in place.invoke("compare", "before.json", "last").stdout
