"""`explain`: kinds, families, faults and checks in words."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place
from xnai_validate import registry
from xnai_validate.cli.explanation import entries
from xnai_validate.config.catalogue import catalogue
from xnai_validate.config.options import LoadOptions


@pytest.mark.parametrize("kind", ["http.request", "tcp.connect", "sse.stream"])
def test_explain_kind_has_every_parameter_and_fact(place: Place, kind: str) -> None:
    """Everything that can be written under `with` and `expect` is explained, with its type and its doc."""
    text = place.invoke("explain", kind).stdout
    checker = registry.CHECKERS.get(kind)
    assert checker.title in " ".join(text.split())
    names = [field.alias or name for name, field in checker.params.model_fields.items()]
    assert [name for name in (*names, *checker.types) if f"\n  {name} " not in text] == []


@pytest.fixture
def read_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the files of checks once, not for each name that is explained."""
    known = catalogue(LoadOptions(without_environment=True))
    monkeypatch.setattr(entries, "catalogue", lambda load: known)


@pytest.mark.usefixtures("read_once")
def test_every_kind_can_be_explained(place: Place) -> None:
    """No kind, whatever its parameters are made of, is beyond explaining."""
    for kind in registry.CHECKERS.names():
        result = place.invoke("explain", kind)
        assert result.exit_code == 0, (kind, result.output)
        assert "Facts" in result.stdout


@pytest.mark.usefixtures("read_once")
def test_explain_family_has_its_kinds_and_what_they_share(place: Place) -> None:
    """Every family is explained; that of answers from documents explains where its questions come from."""
    for family in registry.CHECKERS.families():
        text = place.invoke("explain", family).stdout
        assert all(f"  {kind} " in text for kind in registry.CHECKERS.load(family)), family
    text = " ".join(place.invoke("explain", "rag").stdout.split())
    for part in ("canaries", "`document` its text", "--var canaries.0.question=", "rag.grounding"):
        assert part in text


def test_explain_check_has_its_rules_in_words(place: Place) -> None:
    """A check is explained by what it measures, what it needs, its rules in words, its fix and its source."""
    text = place.invoke("explain", "site/web:up").stdout
    for part in ("http.request: Make an HTTP request", "Start it.", "checks/site/web.yaml:4", "first"):
        assert part in text
    assert "needs     site/web: up" in place.invoke("explain", "site/web:json").stdout
    warned = place.invoke("explain", "site/warned:header").stdout
    assert 'headers.x-who  "me", else a warning' in warned


def test_secrets_are_shown_neither_by_explain_nor_by_a_dry_run(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens from the environment and passwords in urls are masked wherever a plan is shown, or refused."""
    monkeypatch.setenv("A_TOKEN", "t0kens3cret")
    monkeypatch.setenv("URL", "http://user:pa55w0rd/half@127.0.0.1:9")
    with_ = "{path: /, headers: {X-Api-Key: k3y, Authorization: 'Bearer ${A_TOKEN}'}}"
    (place.path / "checks" / "site" / "keys.yaml").write_text(
        f"title: x\nchecks:\n  - {{id: a, title: t, kind: http.request, target: api, with: {with_},"
        " expect: {text: {contains: '${A_TOKEN}'}}}\n"
    )
    profile = "title: p\nsuites: [site/keys]\ntargets: {api: {url: 'URL'}}\n"
    (place.path / "profiles" / "p.yaml").write_text(profile.replace("URL", "http://user:pa55w0rd@127.0.0.1:9"))
    (place.path / "profiles" / "q.yaml").write_text(profile.replace("URL", "${URL}"))
    text = [place.invoke("explain", "site/keys:a"), place.run("p", "--dry-run", "--verbose"), place.run("q")]
    assert [result.exit_code for result in text] == [0, 0, 2]
    for result in text:
        assert "***" in result.output
        for secret in ("t0kens3cret", "k3y", "pa55w0rd"):
            assert secret not in result.output
    (place.path / "profiles" / "q.yaml").unlink()
