"""The report for people: golden files, and what must hold of every one of them."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.golden import FOLDER, reports
from tests.report.runs import CASES, Script, disturbed, finding
from xnai_validate.model.results.report_builder import fold
from xnai_validate.model.results.status import Status
from xnai_validate.report.page import Page, cells, wrap
from xnai_validate.report.terminal import render
from xnai_validate.report.view import View
from xnai_validate.report.words import listed

SGR = re.compile(r"\x1b\[[0-9;]*m")


def test_golden_files_are_what_is_rendered() -> None:
    """A report looks as its golden file does; there is a file for each and none without a case."""
    made = dict(reports())
    assert {path.name for path in FOLDER.iterdir()} == set(made)
    for name, text in made.items():
        assert text == (FOLDER / name).read_text(encoding="utf-8"), name


def test_golden_names_carry_the_exit_code() -> None:
    """The exit code in a golden file's name is the one the run has, and the one its last line says."""
    for case, (code, make) in CASES.items():
        report = fold(make())
        assert report.exit_code == code, case
        assert f"\n{report.verdict.upper()} (exit {code}): " in render(report, View())


def test_no_line_is_wider_than_the_view() -> None:
    """Text is wrapped to the width, whatever the server sent."""
    for _, make in CASES.values():
        for width in (60, 80, 120):
            lines = render(fold(make()), View(width, detail="verbose")).splitlines()
            assert [line for line in lines if cells(line) > width] == []


def test_color_changes_nothing_but_color() -> None:
    """Without its colour codes a coloured report is the plain one, and no other escape sequence is in it."""
    for _, make in CASES.values():
        report = fold(make())
        colored = SGR.sub("", render(report, View(80, color=True)))
        assert colored == render(report, View(80))
        assert "\x1b" not in colored


def test_ascii_view_is_ascii() -> None:
    """Where the place cannot show more than ASCII, nothing more is sent to it."""
    for _, make in CASES.values():
        assert render(fold(make()), View(80, unicode=False, detail="verbose")).isascii()


def test_server_text_is_shown_not_interpreted() -> None:
    """Markup stays as it was sent; control, bidirectional and invalid characters appear as escapes."""
    text = render(fold(CASES["hostile"][1]()), View(200))
    assert "[red]boo[/red]" in text
    assert r"\x1b[2J" in text
    assert r"\u202e" in text
    assert not set(text) & set("\x00\x07\x1b\x85\u202e\u2066\u2028\ufffe")


def test_error_finding_stands_alone() -> None:
    """Where there was no answer, only that is said, with its detail; the rules that could not hold are not repeated."""
    text = render(fold(CASES["failed"][1]()), View(120))
    gateway = text[text.index("The gateway answers") : text.index("The first token")]
    assert "refused (connection refused by 127.0.0.1:8080)" in gateway
    assert "status" not in gateway


def test_blocked_checks_are_folded_under_their_root() -> None:
    """What a failure blocked is named once, under it, and not among the skipped."""
    text = render(fold(CASES["failed"][1]()), View(120))
    assert "blocks  services/gateway: ui-route, api-route, security-headers, request-id, not-found (5 checks)" in text
    assert text.count("ui-route") == 1
    assert "Skipped: 3" in text


def test_what_blocks_most_comes_first() -> None:
    """The failure that blocks others stands before one that blocks nothing, whatever their order in the profile."""
    script = Script("x", "x")
    script.check("a/s:alone", "Alone", Status.FAIL, reason="no")
    script.check("a/s:root", "Root", Status.FAIL, reason="no")
    script.check("a/s:leaf", "Leaf", Status.SKIP, reason="needs a/s:root, which failed", blocked_by="a/s:root")
    text = render(fold(script.events()), View())
    assert text.index("Root") < text.index("Alone")


def test_one_silent_target_is_told_once() -> None:
    """Checks of one target that got no answer for one reason read as one failure, unless every check is asked for."""
    script = Script("x", "x")
    for name in ("a", "b", "c", "d"):
        refused = (finding("error", "equals", None, "refused"), finding("status", "equals", 200, None))
        script.check(f"s/gateway:{name}", f"Title {name}", Status.FAIL, target="gateway", findings=refused)
    other = (finding("error", "equals", None, "refused"),)
    script.check("s/api:other", "Title other", Status.FAIL, findings=other)
    script.check("s/x:y", "Blocked", Status.SKIP, reason="needs s/gateway:c, which failed", blocked_by="s/gateway:c")
    text = render(fold(script.events()), View())
    assert "Failed: 5" in text
    assert "alike   s/gateway: a, b, d (3 checks)" in text
    assert "blocks  s/x: y (1 check)" in text
    assert [title for title in ("Title a", "Title b", "Title c", "Title d", "Title other") if title in text] == [
        "Title c",
        "Title other",
    ]
    assert "alike" not in render(fold(script.events()), View(detail="verbose"))


def test_one_reason_is_told_once() -> None:
    """Checks of one target whose documents lack the same part, or that met the same fault of the server, are alike."""
    script = Script("x", "x")
    for name in ("a", "b", "c"):
        lacks = (
            finding("json $.error_code", "equals", name, None),
            finding("json $.error_code", "matches", "^x", None),
        )
        script.check(f"s/errors:{name}", f"Lacks {name}", Status.FAIL, target="api", findings=lacks)
        broke = (finding("total_ms", "max", 1, 2), finding("status", "equals", 200, 500))
        script.check(f"s/broke:{name}", f"Broke {name}", Status.FAIL, target="api", findings=broke)
        wrong = (finding("status", "equals", 200, 404),)
        script.check(f"s/wrong:{name}", f"Wrong {name}", Status.FAIL, target="api", findings=wrong)
    text = render(fold(script.events()), View())
    assert "Failed: 9" in text
    assert "alike   s/errors: b, c (2 checks)" in text
    assert "alike   s/broke: b, c (2 checks)" in text
    assert text.count("Wrong ") == 3
    assert text.count("json $.error_code") == 1


def test_a_missing_library_is_told_once() -> None:
    """Checks of any target that could not be measured for the same words are alike."""
    script = Script("x", "x")
    for name in ("api", "redis", "docs"):
        script.check(
            f"s/t:{name}", f"Of {name}", Status.ERROR, target=name, reason="k.x needs a library; pip install y"
        )
    text = render(fold(script.events()), View())
    assert text.count("pip install y") == 1
    assert "alike   s/t: redis, docs (2 checks)" in text
    assert "Could not be measured: 3" in text


def test_many_failures_are_named_again_at_the_end() -> None:
    """What scrolled away is named beside the verdict; few failures still stand on the screen and are not."""
    script = Script("x", "x")
    for number_ in range(3):
        script.check(f"a/s:c{number_}", f"Check {number_}", Status.FAIL, reason="no")
    assert "\nfailed   " not in render(fold(script.events()), View())
    script.check("b/s:d", "Check d", Status.FAIL, reason="no")
    assert "\nfailed   a/s: c0, c1, c2; b/s: d\n" in render(fold(script.events()), View())


def test_many_problems_are_bounded() -> None:
    """Thousands of failures give a report that can still be read, and says how many it leaves out."""
    script = Script("x", "x")
    for number_ in range(2000):
        script.check(f"a/s:c{number_}", f"Check {number_}", Status.FAIL, reason="status: expected 200, measured 500")
    text = render(fold(script.events()), View())
    assert len(text.splitlines()) < 1000
    assert "and 1700 more" in text
    assert "2000 checks failed" in text


def test_quiet_says_what_is_wrong_and_the_verdict() -> None:
    """Quiet leaves the failures and the last lines; a run in which all passed is three lines or fewer beyond a rule."""
    failed = render(fold(CASES["failed"][1]()), View(detail="quiet"))
    assert "The gateway answers" in failed
    assert "category" not in failed
    assert len(render(fold(CASES["passed"][1]()), View(detail="quiet")).splitlines()) <= 6


def test_a_run_without_a_measurement_says_so() -> None:
    """Where every check was skipped the verdict does not read as if the stack were well."""
    script = Script("x", "x")
    script.check("a/b:c", "T", Status.SKIP, reason="target api is not configured")
    assert "nothing was measured" in render(fold(script.events()), View())


def test_broken_reporter_is_said_and_raises_the_exit_code() -> None:
    """A reporter that broke is named, and a run that passed ends with 3."""
    text = render(fold(CASES["passed"][1]()), View(broken=("live: it broke",)))
    assert "live: it broke" in text
    assert "\nUNDECIDED (exit 3): a reporter broke" in text


@settings(deadline=None)
@given(st.text(max_size=300), st.integers(20, 120))
def test_wrap_keeps_every_word(text: str, width: int) -> None:
    """Wrapping loses nothing but spaces, and no line is too wide."""
    page = Page(width)
    shown = page._shown(text)
    lines = wrap(shown, width)
    assert "".join(lines).replace(" ", "") == shown.replace(" ", "")
    assert all(cells(line) <= width for line in lines)


def test_listed_groups_by_suite_and_is_bounded() -> None:
    """Ids of one suite stand together; beyond the bound only their number is told."""
    assert listed(["a/x:1", "b/y:1", "a/x:2"]) == "a/x: 1, 2; b/y: 1"
    assert listed([f"a/x:{n}" for n in range(70)], most=2) == "a/x: 0, 1; and 68 more"


def test_what_was_injected_and_whether_it_is_undone() -> None:
    """Each fault with its target and its proof; where that is missing, the verdict says how to repair it."""
    text = " ".join(render(fold(disturbed(proven=False)), View(width=100)).split())
    assert "redis.pause redis undone, and proven to be" in text
    assert "host.memory undone, not proven" in text
    assert "NOT UNDONE (exit 4): a fault may still be in force; undo it with: xnai-validate undo" in text
    assert "PASSED (exit 0)" in render(fold(disturbed(proven=True)), View(width=100))
