"""Where the url of a target and the path of a check lead, and what is refused when the profile is loaded.

The cases lie in `urls/`: `<name>.asked.yaml` has the Host header and the target of the request line that a server
sees, `<name>.refused.yaml` the words of the error.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.config.home import Home
from xnai_validate.kit import Tls
from xnai_validate.wire.http.request import HttpRequest, prepare

URLS = Path(__file__).parent / "urls"


def home_of(tmp_path: Path, case: dict[str, str]) -> Home:
    """A profile with the target of a case, and a suite with its path."""
    home = Home(tmp_path)
    home.profile(f"title: P\nsuites: [case/*]\ntargets: {{api: {{url: {json.dumps(case['target'])}}}}}\n")
    check = {"id": "a", "title": "A", "kind": "http.request", "target": "api", "with": {"path": case["path"]}}
    home.suite(f"title: S\nchecks: [{json.dumps(check)}]\n")
    return home


@pytest.mark.parametrize("path", sorted(URLS.glob("*.asked.yaml")), ids=lambda path: path.stem)
def test_a_request_leads_where_it_is_written(tmp_path: Path, path: Path) -> None:
    """Host header, request target, socket and name in TLS are those of the case."""
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    plan = home_of(tmp_path, case).load()
    target = plan.targets["api"].target
    prepared = prepare(HttpRequest.of(target.join(case["path"]), tls=Tls()))
    assert (prepared.to.netloc.decode(), prepared.to.target.decode()) == (case["host"], case["request"])
    assert prepared.to.socket == case.get("socket")
    if "tls_name" in case:
        assert prepared.tls_name == case["tls_name"]


@pytest.mark.parametrize("path", sorted(URLS.glob("*.refused.yaml")), ids=lambda path: path.stem)
def test_what_would_not_be_followed_is_refused(tmp_path: Path, path: Path) -> None:
    """The profile does not load, and the one error names what is wrong with the url."""
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    problems = home_of(tmp_path, case).problems()
    assert len(problems) == 1, problems
    assert case["words"] in problems[0].message
