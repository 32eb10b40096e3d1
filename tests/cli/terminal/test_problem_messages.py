"""Error messages: the place, the line of the file, a caret under the error, and the hint."""

from __future__ import annotations

import pytest

from xnai_validate.cli.terminal.problem_messages import print_error, problem_lines
from xnai_validate.config.yaml_files.document import parse_source
from xnai_validate.errors import ConfigError
from xnai_validate.model.source_location import InvalidConfig, Problem, SourceLocation


def lines_of(problem: Problem) -> list[str]:
    """Return the lines of one problem, without the count at the end."""
    return list(problem_lines(InvalidConfig([problem])))[:-1]


def test_the_caret_stands_under_what_is_wrong() -> None:
    """The line of the file is shown as it stands there, and the caret with the hint below the column."""
    assert lines_of(Problem("unknown key", SourceLocation("a.yaml", 12, 5), 'did you mean "x"?', "    yy: 1")) == [
        "a.yaml:12:5: unknown key",
        "   12 |     yy: 1",
        '      |     ^ did you mean "x"?',
    ]


def test_wide_and_hidden_characters_do_not_move_the_caret() -> None:
    """Wide characters count two columns, control characters as many as their escape has."""
    line, caret = lines_of(Problem("x", SourceLocation("a", 1, 4), None, "日本\x07: 1"))[1:]
    assert line == "    1 | 日本\\x07: 1"
    assert caret == "      | " + " " * (4 + len("\\x07")) + "^"


def test_a_very_long_line_is_shown_around_the_caret() -> None:
    """Of a line of a thousand characters the part with the error is shown."""
    line, caret = lines_of(Problem("x", SourceLocation("a", 1, 501), None, "a" * 500 + "B" + "c" * 500))[1:]
    assert len(line) < 120
    assert line[caret.index("^")] == "B"


def test_a_problem_without_a_place_is_a_sentence_with_its_hint() -> None:
    """A problem of no file has no excerpt; the count comes once, at the end."""
    problems = [Problem("one", hint="do this"), Problem("two")]
    assert list(problem_lines(InvalidConfig(problems))) == ["one", "  do this", "two", "2 errors; no check was run"]


def test_escape_sequences_in_an_error_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """No text of an error can move a cursor."""
    print_error(ConfigError("bad \x1b[2J name", hint="use \u202e another"))
    assert capsys.readouterr().err == "bad \\x1b[2J name\n  use \\u202e another\n"


def test_of_many_errors_fifty_are_shown() -> None:
    """The first ones, and the number of the others: not screens of the same."""
    problems = [Problem(f"error {number}") for number in range(500)]
    lines = list(problem_lines(InvalidConfig(problems)))
    assert lines[:50] == [f"error {number}" for number in range(50)]
    assert lines[50:] == ["and 450 more errors", "500 errors; no check was run"]


def test_the_caret_stands_right_in_a_line_of_thousands() -> None:
    """JSON written as one line: the error is shown where it is, however far to the right."""
    checks = '{"id": "a", "title": "A", "kind": "http.request"}, ' * 40
    text = f'{{"title": "T", "checks": [{checks}{{"id": "b", "id": "c"}}]}}'
    _, (problem,) = parse_source(text.encode(), "it.yaml")
    line, caret = lines_of(problem)[1:]
    assert len(line) < 120
    assert line[caret.index("^") :].startswith('"id": "c"')
