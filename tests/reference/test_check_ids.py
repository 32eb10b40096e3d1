"""Bundled checks keep their ids, which users name, and recognise the traces of stacks in any language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

HERE = Path(__file__).parent
CHECKS = HERE.parent.parent / "checks"


def test_every_released_check_id_still_exists() -> None:
    """An id that was released is removed or renamed only together with its line in `check-ids.txt`."""
    existing = set()
    for file in CHECKS.glob("*/*.yaml"):
        suite = yaml.safe_load(file.read_text(encoding="utf-8"))
        existing |= {f"{file.parent.name}/{file.stem}:{check['id']}" for check in suite.get("checks", ())}
    released = (HERE / "check-ids.txt").read_text(encoding="utf-8").split()
    assert len(released) == len(set(released))
    assert set(released) - existing == set()


@pytest.mark.parametrize(
    ("message", "leaks"),
    [
        ("The model took too long.", False),
        ("Ask at most twice: see the page of limits (2).", False),
        ('Traceback (most recent call last): File \\"main.py\\", line 3', True),
        ("ApiError: limit at Answerer.translate (file:///srv/answer.mjs:69:44)", True),
        ("panic: limit main.go:12", True),
        ("limit at org.stack.Answers.ask(Answers.java:31)", True),
        ("limit at Stack.Answers.Ask(String text) in /src/Answers.cs:line 31", True),
        ("#0 /var/www/answers.php(31): ask('limit')", True),
    ],
)
def test_every_rule_against_leaks_knows_a_trace(message: str, leaks: bool) -> None:
    """A trace of Python, JavaScript, Go, Java, C# or PHP in an error is a leak; words of a message are not."""
    rules = [
        yaml.safe_load(f'"{pattern}"')
        for name in ("api/errors", "errors/chain", "rag/failure")
        for pattern in re.findall(r'matches: "(Traceback.*?)"}', (CHECKS / f"{name}.yaml").read_text(encoding="utf-8"))
    ]
    assert len(rules) == 5
    assert [bool(re.search(rule, message)) for rule in rules] == [leaks] * 5
