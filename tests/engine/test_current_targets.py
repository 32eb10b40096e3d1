"""A stack that moves while a run goes on is followed by its stack file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from xnai_validate.cli.running.stack import urls_now
from xnai_validate.engine.current_targets import CurrentTargets
from xnai_validate.model.target import Target
from xnai_validate.plan import Candidate, PlannedTarget


def _write(file: Path, **urls: str) -> str:
    file.write_text(json.dumps({"targets": {name: {"url": url} for name, url in urls.items()}}), encoding="utf-8")
    return str(file)


def current(*targets: Target, moved: Callable[[str], None] = lambda sentence: None) -> CurrentTargets:
    """These targets, as they are now."""
    planned = {target.name: PlannedTarget(target.name, (Candidate(target),)) for target in targets}
    return CurrentTargets(planned, urls_now, moved)


def test_a_target_follows_its_stack_file(tmp_path: Path) -> None:
    """The url that the file names now is used, with a sentence about it, once; a target without a file stays."""
    file = tmp_path / "stack.json"
    state_file = _write(file, api="http://127.0.0.1:1/", redis="redis://127.0.0.1:2")
    moved: list[str] = []
    targets = current(
        Target("api", "http://127.0.0.1:1", state_file=state_file, pid=7),
        Target("redis", "redis://127.0.0.1:2", state_file=state_file),
        Target("docs", "http://127.0.0.1:3"),
        moved=moved.append,
    )
    assert targets["api"].url == "http://127.0.0.1:1"
    _write(file, api="http://127.0.0.1:1001", redis="redis://127.0.0.1:2", docs="http://127.0.0.1:1003")
    assert [targets[name].url for name in targets] == [
        "http://127.0.0.1:1001",
        "redis://127.0.0.1:2",
        "http://127.0.0.1:3",
    ]
    assert targets["api"].pid == 7
    assert moved == ["target api moved to http://127.0.0.1:1001: the stack file was rewritten"]


def test_a_url_that_is_not_from_the_file_stays(tmp_path: Path) -> None:
    """One that was given on the command line is not replaced when the file changes."""
    file = tmp_path / "stack.json"
    state_file = _write(file, api="http://127.0.0.1:1")
    targets = current(Target("api", "http://127.0.0.1:9", state_file=state_file))
    _write(file, api="http://127.0.0.1:1001")
    assert targets["api"].url == "http://127.0.0.1:9"


def test_a_file_that_is_half_written_or_gone_changes_nothing(tmp_path: Path) -> None:
    """The last url that was read is used until a whole file names another one."""
    file = tmp_path / "stack.json"
    state_file = _write(file, api="http://127.0.0.1:1")
    targets = current(Target("api", "http://127.0.0.1:1", state_file=state_file))
    file.write_text('{"targets": {"api"', encoding="utf-8")
    assert targets["api"].url == "http://127.0.0.1:1"
    file.unlink()
    assert targets["api"].url == "http://127.0.0.1:1"
    _write(file, api="http://127.0.0.1:100001")
    assert targets["api"].url == "http://127.0.0.1:100001"
