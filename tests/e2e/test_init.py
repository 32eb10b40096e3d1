"""`init`: what it finds is what is there, and what it writes can be run against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.e2e.tool import report, tool
from xnai_validate.demo.processes.stack import EmbeddedStack

DEAD = "http://127.0.0.1:9"
"""The discard port: no server listens there."""


@pytest.fixture(scope="module")
def stack() -> Iterator[EmbeddedStack]:
    """A healthy embedded stack of layout B, whose API has a prefix that must be found out."""
    with EmbeddedStack.start(layout="B") as running:
        yield running


def test_what_it_writes_can_be_run_against(stack: EmbeddedStack, tmp_path: Path) -> None:
    """What answers is written with the layout that was found, the rest as comments; preflight passes on it."""
    known = {name: target["url"] for name, target in stack.description["targets"].items() if "url" in target}
    origin = urlsplit(known["api"]).netloc
    env = {"XNAI_API_URL": f"http://{origin}", "REDIS_PASSWORD": stack.description["targets"]["redis"]["password"]}
    given = [f"--target={name}={url}" for name, url in known.items() if name not in ("api", "docs")]
    done = tool(tmp_path, "init", "stack.yaml", *given, f"--target=docs={DEAD}", env=env)
    assert done.code == 0, done.stderr
    assert f"missing  docs     no answer at {DEAD}" in done.stderr
    written = (tmp_path / "stack.yaml").read_text(encoding="utf-8")
    description = yaml.safe_load(written)
    assert description["layout"] == "B"
    assert description["targets"]["api"]["url"] == known["api"]
    assert set(description["targets"]) == set(known) - {"docs"}
    assert "# docs:" in written
    assert env["REDIS_PASSWORD"] not in written
    assert description["targets"]["redis"]["password_env"] == "REDIS_PASSWORD"
    # Only a person knows whom to trust, and how long a busy machine may take.
    description["targets"]["redis"]["tls"] = stack.description["targets"]["redis"]["tls"]
    description["vars"]["budget"] = stack.description["vars"]["budget"]
    (tmp_path / "stack.yaml").write_text(yaml.safe_dump(description), encoding="utf-8")
    ran = tool(tmp_path, "run", "preflight", "--stack", "stack.yaml", "-o", "report.json", env=env)
    assert ran.code == 0, ran.stdout
    assert not report(tmp_path / "report.json").run.targets.get("docs")


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    """A stack file that a person has corrected is replaced only with --force."""
    mine = "# A stack, as xnai-validate found it and I corrected it.\ntargets: {}\n"
    (tmp_path / "stack.yaml").write_text(mine, encoding="utf-8")
    done = tool(tmp_path, "init", f"--target=api={DEAD}")
    assert done.code == 2
    assert "--force" in done.stderr
    assert (tmp_path / "stack.yaml").read_text(encoding="utf-8") == mine


def test_nothing_is_written_where_nothing_answers(tmp_path: Path) -> None:
    """Without a stack there is no file, exit 1, and a word on how to go on."""
    names = ("api", "gateway", "metrics", "ui", "docs", "vikunja", "llm", "voice")
    given = [f"--target={name}={DEAD}" for name in names]
    done = tool(tmp_path, "init", *given, "--target=redis=redis://127.0.0.1:9/0")
    assert done.code == 1
    assert "--target api=http://HOST:PORT" in done.stderr
    assert not list(tmp_path.glob("*.yaml"))
