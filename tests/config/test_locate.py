"""Profiles and suites are found by name, in a known order; what shadows a bundled name is reported."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from tests.config.home import Home, error_lines
from xnai_validate.config.search_path import bundled_root

SUITE = "title: S\nchecks: [{{id: {id}, title: A, kind: toy.load, expect: {{load: 1}}}}]\n"


def test_the_bundled_data_is_found() -> None:
    """In a checkout it lies at the root."""
    assert (bundled_root() / "profiles/stack.yaml").is_file()


def test_a_given_directory_comes_before_the_environment_before_the_current_one(home: Home) -> None:
    """--path, then XNAI_VALIDATE_PATH, then the current directory, then the bundled ones."""
    places = {name: Home(home.path / name) for name in ("given", "variable", "cwd")}
    for name, place in places.items():
        place.profile(f"title: From {name}\n", "mine")
        place.profile(f"title: From {name}\n", f"only-{name}")
    options = replace(
        home.options(environ={"XNAI_VALIDATE_PATH": str(places["variable"].path)}),
        cwd=places["cwd"].path,
        paths=(places["given"].path,),
    )
    assert home.load("mine", options=options).title == "From given"
    assert home.load("mine", options=replace(options, paths=())).title == "From variable"
    assert home.load("mine", options=replace(options, paths=(), environ={})).title == "From cwd"
    assert [home.load(f"only-{name}", options=options).title for name in places] == [f"From {name}" for name in places]


def test_shadowing_a_bundled_name_is_reported(home: Home) -> None:
    """One may replace a bundled profile, and the report shows it."""
    home.profile("title: Mine\n", "stack")
    plan = home.load("stack")
    assert plan.title == "Mine"
    assert plan.notices == ("the profile stack is that of profiles/stack.yaml, not the bundled one",)


def test_a_profile_by_path_finds_the_suites_beside_it(home: Home, tmp_path: Path) -> None:
    """A directory with a profile and its checks can be run from anywhere."""
    home.suite(SUITE.format(id="a"), "own/one")
    path = home.profile("title: P\nsuites: [own/*]\n", "mine")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    options = replace(home.options(), cwd=elsewhere)
    assert [check.id for check in home.load(str(path), options=options).checks] == ["own/one:a"]
    beside = home.write("beside.yaml", "title: P\nsuites: [own/*]\n")
    assert [check.id for check in home.load(str(beside), options=options).checks] == ["own/one:a"]


def test_unknown_profiles_and_directories_are_errors(home: Home) -> None:
    """Both are reported at once, with the nearest name."""
    home.profile("title: P\n", "mine")
    options = replace(home.options(), paths=(home.path / "none",))
    assert error_lines(home.problems("mien", "no/such.yaml", options=options)) == [
        f"-: {home.path}/none is not a directory; --path and XNAI_VALIDATE_PATH name directories",
        "-: there is no file no/such.yaml",
        '-: unknown profile "mien"; did you mean "mine"?',
    ]


def test_a_folder_is_no_profile(home: Home) -> None:
    """A folder in the place of a file, or of a name, is named as a folder, with the option that takes folders."""
    (home.path / "mine.yaml").mkdir()
    (home.path / "mine").mkdir()
    assert error_lines(home.problems("mine.yaml")) == ["-: mine.yaml is not a readable file"]
    assert error_lines(home.problems("mine")) == [
        '-: unknown profile "mine"; mine is a folder; --path mine searches it'
    ]


def test_what_is_no_regular_file_is_not_read(home: Home) -> None:
    """A FIFO among the suites or as a profile is an error at once; the tool does not wait for a writer."""
    home.profile()
    (home.path / "checks" / "case").mkdir(parents=True)
    os.mkfifo(home.path / "checks" / "case" / "pipe.yaml")
    assert error_lines(home.problems()) == ["-: cannot read checks/case/pipe.yaml: not a regular file"]
    os.mkfifo(home.path / "profiles" / "pipe.yaml")
    assert "-: cannot read profiles/pipe.yaml: not a regular file" in error_lines(home.problems("pipe"))


def test_of_many_errors_all_are_found(home: Home) -> None:
    """A file of errors does not become a report of megabytes: up to a thousand are kept."""
    home.profile()
    home.suite("title: T\nchecks:\n" + "".join(f"  - {{id: c{n}, oops{n}: 1}}\n" for n in range(1200)))
    lines = error_lines(home.problems())
    assert len(lines) == 1000
