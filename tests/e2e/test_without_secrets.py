"""Profiles are read without the secrets of a run, and an error in one suite does not stop another."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.tool import tool

PROFILE = """
title: Shop
suites: [shop/*]
targets:
  web:
    url: "http://127.0.0.1:${SHOP_TEST_PORT}"
    auth: {scheme: bearer, secret_env: SHOP_TEST_TOKEN}
  cache: {url: "redis://${SHOP_TEST_CACHE:?the address of the cache}/0", password_env: SHOP_TEST_PASSWORD}
"""
FRONT = """
title: Front
checks:
  - {id: page, title: The page, kind: http.request, target: web, with: {path: "/${SHOP_TEST_PAGE}"}}
  - {id: ping, title: The cache, kind: redis.ping, target: cache}
"""
NAMES = "SHOP_TEST_CACHE, SHOP_TEST_PAGE, SHOP_TEST_PORT, SHOP_TEST_TOKEN"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with a profile that needs variables, and its suite."""
    for name, text in (("profiles/shop.yaml", PROFILE), ("checks/shop/front.yaml", FRONT)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("lint", "shop"), "2 checks in 1 suite and 1 profile"),
        (("list", "shop"), "shop/front:page"),
        (("explain", "shop/front:page"), "The page"),
        (("run", "shop", "--dry-run"), "2 checks would run"),
    ],
)
def test_what_sends_nothing_needs_no_variable(home: Path, arguments: tuple[str, ...], expected: str) -> None:
    """They exit 0; lint and the dry run name what a run needs."""
    done = tool(home, *arguments)
    assert (done.code, expected in done.stdout) == (0, True), done.stdout + done.stderr
    if arguments[0] in ("lint", "run"):
        text = " ".join((done.stdout + done.stderr).split())
        assert f"not set in the environment, and needed by a run: {NAMES}" in text


def test_a_run_names_every_variable_once(home: Path) -> None:
    """Exit 2, with one error for each variable; none of them is followed by another at the same place."""
    done = tool(home, "run", "shop")
    assert done.code == 2
    for name in NAMES.split(", "):
        assert done.stderr.count(f"the environment variable {name} is not set") == 1
    assert "the address of the cache" in done.stderr
    assert "4 errors" in done.stderr


def test_a_file_of_variables_gives_them(home: Path) -> None:
    """`--env-file` sets what is not set yet: the environment goes before the file."""
    text = "SHOP_TEST_PORT=9\nSHOP_TEST_TOKEN='to-ken'\nSHOP_TEST_CACHE=127.0.0.1:9\nSHOP_TEST_PAGE=a\n"
    (home / ".env").write_text(text, encoding="utf-8")
    done = tool(home, "run", "shop", "--env-file", ".env", "-v", env={"SHOP_TEST_PORT": "10"})
    assert done.code == 1
    assert "http://127.0.0.1:10" in done.stdout
    assert "redis://127.0.0.1:9/0" in done.stdout


def test_an_error_in_one_suite_does_not_stop_another(home: Path) -> None:
    """With --only the errors of suites that are not selected are counted, not reported; without, they are."""
    values = {"SHOP_TEST_PORT": "9", "SHOP_TEST_TOKEN": "t", "SHOP_TEST_CACHE": "127.0.0.1:9", "SHOP_TEST_PAGE": "a"}
    back = "title: Back\nchecks:\n  - {id: a, title: A, kind: http.request, target: nowhere, with: {path: /}}\n"
    (home / "checks/shop/back.yaml").write_text(back, encoding="utf-8")
    assert tool(home, "run", "shop", env=values).code == 2
    done = tool(home, "run", "shop", "--only", "shop/front", env=values)
    assert done.code == 1
    assert "1 error of suites that are not selected was left out; lint reports it" in " ".join(done.stdout.split())
    assert tool(home, "run", "shop", "--only", "shop/back", env=values).code == 2


def test_an_error_in_a_profile_is_reported_once(home: Path) -> None:
    """The suites of the profile know its targets all the same."""
    (home / "profiles/shop.yaml").write_text(PROFILE.replace("title: Shop", "title: Shop\nstrickt: true"), "utf-8")
    done = tool(home, "lint")
    assert done.code == 2
    assert "strickt" in done.stderr
    assert "unknown target" not in done.stderr
