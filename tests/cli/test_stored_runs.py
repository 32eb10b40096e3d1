"""Stored runs by id, by name and by file: a file that cannot be read is exit 2 with a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from xnai_validate.cli.stored_runs import recorded_of, report_of
from xnai_validate.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("deep.json", "[" * 100_000, "is not a report of this version: Invalid JSON"),
        ("deep.jsonl", '{"seq":' + "[" * 100_000 + "\n", "not an event of a run"),
        ("empty.json", "", "is not a report of this version"),
        ("list.json", "[]", "is not a report of this version"),
        ("binary.json", "\udcff\udcfe", "is not a report of this version"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, name: str, content: str, message: str) -> None:
    """Whatever the file holds, the error names it and is not a traceback."""
    path = tmp_path / name
    path.write_bytes(content.encode(errors="surrogateescape"))
    for read in (report_of, recorded_of):
        with pytest.raises(ConfigError, match=message):
            read(str(path))


def test_a_report_with_a_target_that_is_no_url_is_not_compared(place: Place) -> None:
    """`report` renders such a report, `compare` refuses it with exit 2."""
    place.run("good", "-o", "r.json")
    text = (place.path / "r.json").read_text().replace(json.dumps(place.site.url), json.dumps("http://[broken"))
    (place.path / "broken.json").write_text(text)
    assert place.invoke("report", "broken.json").exit_code == 0
    for args in (("broken.json", "last"), ("last", "broken.json")):
        result = place.invoke("compare", *args)
        assert result.exit_code == 2
        assert "broken.json is not a report that can be compared" in result.stderr


def test_a_run_is_named_by_the_beginning_of_its_id(place: Place) -> None:
    """If several runs begin so, the error has their number."""
    place.run("good")
    (journal,) = (place.state / "runs").iterdir()
    assert report_of(journal.stem[:-2]).run.id == journal.stem
    journal.with_name(f"{journal.stem[:-1]}x.jsonl").write_bytes(journal.read_bytes())
    with pytest.raises(ConfigError, match="2 runs begin with"):
        report_of(journal.stem[:-1])


@pytest.mark.parametrize("folder", ["runs", "baselines"])
def test_what_another_user_can_write_is_no_stored_run(place: Place, folder: str) -> None:
    """A planted baseline would turn a regression into a pass; files of one's own are compared all the same."""
    for name in ("first.json", "second.json"):
        place.run("good", "-o", name)
    shared = place.state / folder
    shared.mkdir(parents=True, exist_ok=True)
    shared.chmod(0o777)
    assert "2 checks in both runs" in place.invoke("compare", "first.json", "second.json").stdout
    ended = place.invoke("compare", "last", "last")
    assert ended.exit_code == 2
    assert f"another user can write the state folder {shared}" in ended.stderr


def test_a_report_whose_parts_contradict_each_other_is_damaged(place: Place) -> None:
    """Causes of checks that it does not have, and times that are no numbers: exit 2 in every command."""
    place.run("bad", "-o", "r.json")
    document = json.loads((place.path / "r.json").read_text())
    document["causes"][0]["id"] = "no/such:check"
    (place.path / "causes.json").write_text(json.dumps(document))
    document["run"]["elapsed_ms"] = float("nan")
    (place.path / "nan.json").write_text(json.dumps(document))
    for name, words in (("causes.json", "its causes name no/such:check"), ("nan.json", "run.elapsed_ms")):
        for args in (("report", name), ("compare", name, "last")):
            ended = place.invoke(*args)
            assert ended.exit_code == 2, ended.stderr
            assert words in ended.stderr
