"""Prompts that vary from request to request, and what a server gets of them."""

from __future__ import annotations

import json
import os
import random
import statistics
from pathlib import Path
from typing import Any

import pytest

from tests.checkers.streaming import WHOLE, plays
from tests.context import observe
from tests.scripted import ok, scripted
from xnai_validate.checkers.load._prompts import Prompts, Words
from xnai_validate.kit import Target, Unmeasurable
from xnai_validate.model.source_location import InvalidConfig

BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "{{prompt}}"}]}


def sent(kind: str, prompts: dict[str, Any], body: Any = BODY) -> list[str]:
    """The prompts that a server gets of 20 requests, in order."""
    with scripted(ok(b"hi") if kind == "load.http" else plays(*WHOLE)) as server:
        with_ = {"method": "POST", "json": body, "arrivals": {"rate": 40}, "for": "500ms", "prompts": prompts}
        facts = observe(kind, Target("api", server.url()), **with_).facts
        assert facts["completed_count"] == len(server.requests) == 20
        return [json.loads(request.body)["messages"][0]["content"] for request in server.requests]


@pytest.mark.parametrize("kind", ["load.http", "load.sse"])
def test_each_request_has_one_of_the_prompts(kind: str) -> None:
    """With its own length of the body, in the order of the seed; other seeds have another order."""
    texts = ["short", 'a longer one with "quotes" and ü', "x" * 3000]
    first = sent(kind, {"texts": texts, "seed": 1})
    assert set(first) == set(texts)
    assert sorted(first) == sorted(sent(kind, {"texts": texts, "seed": 1}))
    assert sorted(first) != sorted(sent(kind, {"texts": texts, "seed": 4}))


def test_prompts_come_from_a_file(tmp_path: Path) -> None:
    """A text a line, or JSON with a field for it; empty lines and objects without one are passed over."""
    lines = ["plain", "", '{"prompt": "of json"}', '{"id": 5}', '{"text": "of text"}', "{no json"]
    (tmp_path / "prompts.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert set(sent("load.sse", {"file": str(tmp_path / "prompts.jsonl")})) == {
        "plain", "of json", "of text", "{no json",
    }  # fmt: skip


def test_random_words_have_their_distribution() -> None:
    """The mean length and its deviation; no two prompts begin alike, and a seed gives the same ones again."""
    words = Words(mean=200, deviation=40, count=1000)
    prompts = words.make(random.Random(1))
    lengths = [len(prompt.split()) for prompt in prompts]
    assert statistics.fmean(lengths) == pytest.approx(200, rel=0.03)
    assert statistics.stdev(lengths) == pytest.approx(40, rel=0.1)
    assert len({prompt[:24] for prompt in prompts}) > 990
    assert prompts == words.make(random.Random(1))
    assert all(Words(mean=1, deviation=50, count=20).make(random.Random(1)))


def test_a_file_that_has_no_prompts_is_an_error(tmp_path: Path) -> None:
    """One that is missing, empty, or a pipe, which would be waited for."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").write_text("\n\n", encoding="utf-8")
    for name, named in (("missing", "could not be read"), ("empty", "has no prompt"), ("pipe", "no regular file")):
        with pytest.raises(Unmeasurable, match=named):
            Prompts(file=str(tmp_path / name)).all(random.Random(0))


@pytest.mark.parametrize(
    ("prompts", "body", "named"),
    [
        ({"texts": ["a"]}, {"messages": [{"content": "always the same"}]}, "prompt"),
        ({}, BODY, "texts, a file or words"),
        ({"texts": ["a"], "words": {"mean": 5}}, BODY, "texts, a file or words"),
    ],
)
def test_prompts_that_would_not_be_sent_are_refused(prompts: dict[str, Any], body: Any, named: str) -> None:
    """Where the profile is loaded, not in the middle of a load."""
    with pytest.raises(InvalidConfig, match=named):
        sent("load.http", prompts, body)
