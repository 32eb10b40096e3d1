"""Secrets appear in no event, wherever they came from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.engine.clock import run_virtual
from tests.engine.plans import Stage, collect, engine_of, finished, make, plan_of, scripted
from xnai_validate.model.json import TEXT_CAP, to_json
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.events import CheckFinished
from xnai_validate.model.results.report import Criterion
from xnai_validate.plan import Retry

SECRET = 'c0rrect"horse\\battery ü staple/@?'


def everything(tmp_path: Path, text: str, answer: object = 503, secret: str = SECRET) -> str:
    """All events and the journal of a run in which a secret turns up wherever it can."""
    rules = (Rule("text", "equals", secret), Rule("status", "equals", 200), Rule("text", "contains", [secret, "z"]))
    by = scripted(Stage())
    check = make("a", by, rules=rules, script={"answers": [answer], "text": text}, retry=Retry(attempts=2))
    skipped = make("b", by, skip=f"because of {secret}")
    plan = plan_of(
        check,
        skipped,
        targets={"redis": "redis://:hunter2@127.0.0.1:6379"},
        notices=(f"saw {secret}",),
        secrets=frozenset({secret}),
        criteria=(Criterion(scope="total", rule=Rule("passed", "equals", secret)),),
    )
    engine = engine_of(plan, tmp_path, host={"name": f"host-{secret}", "api_key": "abcdef"})
    events = run_virtual(collect(engine))
    path = engine.journal_path
    assert path is not None
    lines = path.read_bytes()
    assert lines == b"".join(to_json(event) + b"\n" for event in events)
    # Decoded, so that no escape hides anything from the search.
    return "\n".join(
        json.dumps(json.loads(line), ensure_ascii=False).replace("\\\\", "\\") for line in lines.splitlines()
    )


@pytest.mark.parametrize("answer", [503, "broken", "unmeasurable", "na", "group", "timeout"])
def test_a_secret_is_in_no_event_and_not_on_disk(tmp_path: Path, answer: object) -> None:
    """Facts, headers, rules, reasons, exception texts, notices, the host: masked before any sink."""
    found = everything(tmp_path, f"before {SECRET} after", answer)
    for part in ("c0rrect", "horse", "battery", "staple", "hunter2", 'abcdef"}'):
        assert part not in found, found[max(0, found.index(part) - 200) :][:400]
    assert "before *** after" in found


@pytest.mark.parametrize("kept", [4, 7, 12])
def test_a_cut_does_not_let_the_beginning_of_a_secret_through(tmp_path: Path, kept: int) -> None:
    """Where a long text is cut in the middle of a secret, what is left of it is masked too."""
    secret = "s3cr3tvaluethatislong" * 3
    for place in (TEXT_CAP, 120 - 1, 300):
        found = everything(tmp_path / str(place), "x" * (place - kept) + secret + "y" * 3000, 503, secret)
        assert "s3cr" not in found


def test_names_stay_what_they_are(tmp_path: Path) -> None:
    """A secret that is also the name of a check does not make its events unreadable."""
    check = make("redis/ping:answers", scripted(Stage()))
    events = run_virtual(collect(engine_of(plan_of(check, secrets=frozenset({"redis"})), tmp_path)))
    assert set(finished(events)) == {"redis/ping:answers"}


def test_authorization_headers_are_masked_by_name(tmp_path: Path) -> None:
    """The value of a header such as Authorization is masked even where it is not a known secret."""
    check = make("a", scripted(Stage()), script={"text": "unknown to the plan"})
    events = run_virtual(collect(engine_of(plan_of(check), tmp_path)))
    (end,) = [event for event in events if isinstance(event, CheckFinished)]
    assert end.facts["headers"] == {"authorization": "***"}
