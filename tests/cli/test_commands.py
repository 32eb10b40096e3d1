"""`list`, `explain`, `lint`, `schema`: what there is, and what it means."""

from __future__ import annotations

import json

import jsonschema
import pytest

from tests.cli.conftest import Place
from xnai_validate import registry
from xnai_validate.cli.typenames import default_of, type_of


def test_list_names_profiles_suites_and_checks(place: Place) -> None:
    """Each list has what lies in the folder as well as what is bundled, the name first."""
    profiles = place.invoke("list").stdout
    assert "good " in profiles
    assert "(profiles/good.yaml)" in profiles
    assert "preflight" in profiles
    assert "site/web" in place.invoke("list", "suites").stdout
    checks = place.invoke("list", "checks", "--only", "site").stdout.splitlines()
    assert {line.split()[0] for line in checks} == {
        "site/broken:after", "site/broken:boom", "site/hanging:hangs", "site/hanging:up",
        "site/warned:header", "site/web:json", "site/web:up",
    }  # fmt: skip
    assert place.invoke("list", "checks", "--tag", "first").stdout.split()[0] == "site/web:up"


def test_list_of_a_profile_has_its_checks(place: Place) -> None:
    """A profile's checks are listed by category, with their number."""
    listed = place.invoke("list", "bad").stdout
    assert "site: 4" in listed
    assert "site/broken:boom" in listed
    assert listed.rstrip().endswith("4 checks in 1 category")


def test_list_kinds_has_every_kind_with_its_title(place: Place) -> None:
    """Every kind that the registry has is listed."""
    listed = place.invoke("list", "kinds").stdout
    assert [kind for kind in registry.CHECKERS.names() if f"{kind} " not in listed] == []


def test_unknown_names_get_the_nearest(place: Place) -> None:
    """A word that names nothing is told with the nearest that does; exit 2."""
    for args, said in (
        (("list", "suite"), 'did you mean "suites"?'),
        (("list", "goood"), 'did you mean "good"?'),
        (("list", "kinds", "--tag", "x"), "have none"),
        (("explain", "http.reqest"), 'did you mean "http.request"?'),
        (("explain", "site/web:upp"), 'did you mean "site/web:up"?'),
        (("explain", "requests"), "neither a kind of check, a fault nor the id of a check"),
        (("explain", "up"), "there is site/hanging:up, site/web:up"),
        (("explain", "site/web"), "list checks --only 'site/web'"),
        (("explain", "good"), "it is a profile: xnai-validate list good"),
        (("explain", "phase4.1"), "it is a profile: xnai-validate list phase4.1"),
        (("list", "checks", "--only", "site/wbe"), "no check matches"),
        (("list", "checks", "--tag", "frist"), 'did you mean "first"?'),
        (("lint", "goood"), 'did you mean "good"?'),
        (("schema", "reports"), "report"),
        (("lsit",), "'list'"),
    ):
        result = place.invoke(*args)
        assert result.exit_code == 2, args
        assert said in result.stderr, args
        assert result.stdout == ""


@pytest.mark.parametrize("kind", ["http.request", "tcp.connect", "sse.stream"])
def test_explain_kind_has_every_parameter_and_fact(place: Place, kind: str) -> None:
    """Everything that can be written under `with` and `expect` is explained, with its type and its doc."""
    told = place.invoke("explain", kind).stdout
    checker = registry.CHECKERS.get(kind)
    assert checker.title in " ".join(told.split())
    names = [field.alias or name for name, field in checker.params.model_fields.items()]
    assert [name for name in (*names, *checker.types) if f"\n  {name} " not in told] == []


def test_every_kind_can_be_explained(place: Place) -> None:
    """No kind, whatever its parameters are made of, is beyond explaining."""
    for kind in registry.CHECKERS.names():
        result = place.invoke("explain", kind)
        assert result.exit_code == 0, (kind, result.output)
        assert "Facts" in result.stdout


def test_explain_family_has_its_kinds_and_what_they_share(place: Place) -> None:
    """Every family is explained; that of answers from documents says where its questions come from."""
    for family in registry.CHECKERS.families():
        told = place.invoke("explain", family).stdout
        assert all(f"  {kind} " in told for kind in registry.CHECKERS.load(family)), family
    told = " ".join(place.invoke("explain", "rag").stdout.split())
    for words in ("canaries", "`document` its text", "--var canaries.0.question=", "rag.grounding"):
        assert words in told


def test_explain_check_has_its_rules_in_words(place: Place) -> None:
    """A check is explained by what it measures, what it needs, its rules in words, its fix and its source."""
    told = place.invoke("explain", "site/web:up").stdout
    for text in ("http.request: Make an HTTP request", "Start it.", "checks/site/web.yaml:4", "first"):
        assert text in told
    assert "needs     site/web: up" in place.invoke("explain", "site/web:json").stdout
    warned = place.invoke("explain", "site/warned:header").stdout
    assert 'headers.x-who  "me", else a warning' in warned


def test_lint_counts_what_it_verified(place: Place) -> None:
    """Without mistakes lint says how much it has verified, by name, by path and by folder."""
    assert place.invoke("lint", "good").stdout == "2 checks in 1 suite and 1 profile: no mistakes\n"
    assert place.invoke("lint", "checks/site/web.yaml").stdout == "2 checks in 1 suite and 0 profiles: no mistakes\n"
    assert place.invoke("lint", "checks").stdout == "7 checks in 4 suites and 0 profiles: no mistakes\n"


def test_lint_tells_all_mistakes(place: Place) -> None:
    """Mistakes of several files are told together, each with its line and a caret; exit 2."""
    (place.path / "checks" / "site" / "worse.yaml").write_text(
        "title: x\nchecks:\n  - {id: A b, title: t, kind: http.rq}\n"
    )
    result = place.invoke("lint", ".")
    assert result.exit_code == 2
    assert "profiles/mistaken.yaml:4:14" in result.stderr
    assert "checks/site/worse.yaml:3" in result.stderr
    for number, line in enumerate(result.stderr.splitlines()):
        if " | " in line and "^" in line:
            column = line.index("^")
            assert result.stderr.splitlines()[number - 1][column] not in (" ", "|")


def test_schemas_are_schemas_and_fit(place: Place) -> None:
    """Each document has a JSON Schema; that of the report accepts a report."""
    for document in ("suite", "profile", "report", "events"):
        schema = json.loads(place.invoke("schema", document).stdout)
        jsonschema.Draft202012Validator.check_schema(schema)
    report = json.loads(place.run("bad", "--format", "json").stdout)
    jsonschema.validate(report, json.loads(place.invoke("schema", "report").stdout))


def test_types_as_a_person_writes_them() -> None:
    """Types of parameters read as words, defaults as they would be written."""
    scalars = [{"type": one} for one in ("string", "integer", "number", "boolean")]
    assert type_of({"anyOf": [*scalars, {"type": "null"}]}) == "scalar"
    assert type_of({"anyOf": [{"type": "string"}, {"type": "null"}]}) == "text"
    assert type_of({"type": "array", "items": {"enum": ["a", "b"]}}) == "list of one of a, b"
    assert type_of({"$ref": "#/$defs/JsonValue"}) == "any JSON"
    checker = registry.CHECKERS.get("http.request")
    timeout = checker.params.model_json_schema(by_alias=True)["properties"]["timeout"]
    assert (type_of(timeout), default_of(timeout)) == ("duration", "default 10s")


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
    told = [place.invoke("explain", "site/keys:a"), place.run("p", "--dry-run", "--verbose"), place.run("q")]
    assert [result.exit_code for result in told] == [0, 0, 2]
    for result in told:
        assert "***" in result.output
        for secret in ("t0kens3cret", "k3y", "pa55w0rd"):
            assert secret not in result.output
    (place.path / "profiles" / "q.yaml").unlink()
