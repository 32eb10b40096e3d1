"""Every file in `bad/` has an error, and has the expected message in its first lines."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.config.home import Home, error_lines
from xnai_validate.model.source_location import Problem

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))
GOOD_SUITE = "title: Good\nchecks:\n  - {id: it, title: It, kind: toy.load, expect: {load: {max: 4}}}\n"


def load_problems(path: Path) -> tuple[Problem, ...]:
    """The errors of a case: a suite under the base profile, or a profile of its own."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.suite(GOOD_SUITE, "good/one")
        text = path.read_bytes()
        if text.startswith(b"# suite"):
            home.profile()
            case = home.suite("", "case/one")
        else:
            case = home.profile("", "case")
        case.write_bytes(text)
        return home.problems("base" if text.startswith(b"# suite") else "case")


def load_case(path: Path) -> list[str]:
    """The errors of a case as its head spells them."""
    return error_lines(load_problems(path))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_error_is_reported_as_its_file_expects(path: Path) -> None:
    """Each error has its own line, names the nearest known name, and draws no other errors after it."""
    lines = path.read_text(encoding="utf-8").split("\n")
    expected = [line.removeprefix("# expect: ") for line in lines if line.startswith("# expect: ")]
    assert expected
    assert load_case(path) == expected


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_error_carries_the_line_as_it_stands_there(path: Path) -> None:
    """The excerpt is the line of the file, and the column lies within it, so that a caret can be drawn."""
    lines = path.read_text(encoding="utf-8").split("\n")
    placed = [problem for problem in load_problems(path) if problem.place is not None]
    assert placed
    for problem in placed:
        assert problem.place is not None
        assert problem.excerpt == lines[problem.place.line - 1]
        assert 1 <= problem.place.column <= len(lines[problem.place.line - 1]) + 1


def test_every_file_of_the_folder_is_a_case() -> None:
    """No file is passed over by its name, and the folder was found."""
    assert sorted((Path(__file__).parent / "bad").iterdir()) == BAD != []
