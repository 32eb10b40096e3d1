"""`list`: profiles, suites, checks, kinds, faults."""

from __future__ import annotations

from tests.cli.conftest import Place
from xnai_validate import registry


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


def test_list_promises_has_source_and_checks(place: Place) -> None:
    """What checks hold a stack to is listed with its source and the checks that verify it."""
    listed = place.invoke("list", "promises").stdout
    entry = listed.partition("\nvikunja.info\n")[2].splitlines()
    assert [line.strip() for line in entry[:3]] == [
        "GET /api/v1/info is public and names the version.",
        "Vikunja, API documentation",
        "vikunja/vikunja: info, quick",
    ]
    assert entry[3].strip().startswith("proven by the defects: ")


def test_unknown_names_get_the_nearest(place: Place) -> None:
    """An unknown word is refused with the nearest known one; exit 2."""
    for args, message in (
        (("list", "suite"), 'did you mean "suites"?'),
        (("list", "goood"), 'did you mean "good"?'),
        (("list", "kinds", "--tag", "x"), "select checks, not kinds"),
        (("explain", "http.reqest"), 'did you mean "http.request"?'),
        (("explain", "site/web:upp"), 'did you mean "site/web:up"?'),
        (("explain", "requests"), "neither a kind of check, a fault, a recipe nor the id of a check"),
        (("explain", "up"), "known: site/hanging:up, site/web:up"),
        (("explain", "site/web"), "list checks --only 'site/web'"),
        (("explain", "good"), "it is a profile: xnai-validate list good"),
        (("explain", "phase4.1"), "it is a profile: xnai-validate list phase4.1"),
        (("list", "checks", "--only", "site/wbe"), "no check matches"),
        (("list", "checks", "--tag", "frist"), 'did you mean "first"?'),
        (("lint", "goood"), 'did you mean "good"?'),
        (("schema", "reports"), "report"),
        (("lsit",), 'unknown command "lsit"; did you mean "list"?'),
    ):
        result = place.invoke(*args)
        assert result.exit_code == 2, args
        assert message in result.stderr, args
        assert result.stdout == ""


def test_runs_are_listed_newest_first(place: Place) -> None:
    """With when they began and what they ran; an unreadable journal is listed with the reason."""
    assert "no run is stored" in place.invoke("list", "runs").stdout
    place.run("good")
    (place.state / "runs" / "00000000T000000-000000.jsonl").write_text("{}\n")
    lines = place.invoke("list", "runs").stdout.splitlines()
    assert "good, 2 checks" in lines[0]
    assert lines[1].startswith("00000000T000000-000000")
    assert "not an event of a run" in " ".join(" ".join(lines[1:]).split())
