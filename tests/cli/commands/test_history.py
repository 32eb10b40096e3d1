"""`history` and `list runs`: what earlier runs found, as text and as JSON."""

from __future__ import annotations

import json
import os

from tests.cli.conftest import Place
from tests.cli.process import finish, fork


def test_a_check_that_broke(place: Place) -> None:
    """Pass rate, flakiness, and the first run in which it broke, as text and as JSON."""
    place.run("good")
    suite = place.path / "checks" / "site" / "web.yaml"
    suite.write_text(suite.read_text().replace("$.status: ok", "$.status: fine"))
    place.run("good")
    place.run("good")
    result = place.invoke("history", "site/web:json", "--json")
    assert result.exit_code == 0
    course = json.loads(result.stdout)
    runs = [entry["run"] for entry in course["entries"]]
    assert (course["pass_rate"], course["runs"], course["changes"]) == (0.3333, 3, 1)
    assert (course["broken_since"], course["last_passed"]) == (runs[1], runs[2])
    text = place.invoke("history", "json").stdout
    assert f"broken since {runs[1]}; passed last in {runs[2]}" in " ".join(text.split())
    assert "pass rate 33% (1 passed, 2 failed, 0 not judged)" in text


def test_a_profile_and_all_profiles(place: Place) -> None:
    """A profile lists its runs and what is broken in them; without a name every profile has a line."""
    place.run("good")
    place.run("bad")
    text = place.invoke("history", "bad").stdout
    assert "bad: 1 run, 0% passed" in text
    assert "site/broken:boom: 0% passed, flakiness 0%, broken since" in " ".join(text.split())
    listed = json.loads(place.invoke("history", "--json").stdout)["profiles"]
    assert [(each["profile"], each["pass_rate"]) for each in listed] == [("bad", 0.0), ("good", 1.0)]
    assert place.invoke("history").stdout.splitlines()[1].startswith("bad ")


def test_an_unknown_name_gets_the_nearest(place: Place) -> None:
    """No run of that name is exit 2."""
    place.run("good")
    result = place.invoke("history", "site/web:upp")
    assert (result.exit_code, result.stdout) == (2, "")
    assert 'did you mean "site/web:up"?' in result.stderr


def test_runs_outlive_their_journals(place: Place) -> None:
    """The history keeps a run whose journal is gone, and is made again from journals where its file is gone."""
    place.run("good")
    place.run("bad")
    journals = sorted((place.state / "runs").iterdir())
    journals[0].unlink()
    assert [line.split()[0] for line in place.invoke("list", "runs").stdout.splitlines() if line[0].isdigit()] == [
        journals[1].stem, journals[0].stem,
    ]  # fmt: skip
    (place.state / "history.sqlite3").unlink()
    listed = place.invoke("list", "runs").stdout
    assert journals[1].stem in listed
    assert journals[0].stem not in listed


def test_list_runs_shows_verdict_duration_and_counts(place: Place) -> None:
    """A run that goes on is `running`, one that was killed is `interrupted`."""
    process = fork("run", "hanging")
    assert place.site.hanging.wait(60)
    assert " running " in place.invoke("list", "runs").stdout
    process.kill()
    finish(process)
    line = " ".join(place.invoke("list", "runs").stdout.split())
    assert " interrupted " in line
    assert "hanging, 2 checks: 1 pass, 1 skip" in line


def test_a_history_that_others_can_write_is_refused(place: Place) -> None:
    """What another user may have written is not read."""
    place.run("good")
    os.chmod(place.state, 0o777)
    result = place.invoke("history")
    assert result.exit_code == 2
    assert "another user can write the state folder" in result.stderr
    assert place.invoke("list", "runs").exit_code == 2
