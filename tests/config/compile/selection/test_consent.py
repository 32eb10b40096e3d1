"""Faults in suites: found wherever they stand, verified, and subject to consent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.config.home import Home, allowing
from xnai_validate.config.compile.selection.consent import is_near
from xnai_validate.plan import PlannedCheck

REFUSED = "disruptive checks are not allowed here; allow them with --allow disruptive"
UNDER = (
    "kind: toy.ask\ntarget: api\nwith: {path: /}\nunder: [{fault: redis.pause, target: store, with: {duration: 3s}}]"
)
IN_PARAMS = "kind: toy.disturb\ntarget: store\nwith: {list: [{fault: redis.readonly}]}\nexpect: {moved: {a: 1}}"
WITHIN = """
kind: toy.compare
target: api
with: {during: [{kind: toy.disturb, target: store, with: {one: {fault: host.memory, with: {percent: 90}}}}]}
expect: {moved: {a: 1}}
"""


def planned_check(home: Home, text: str, *allowed: str) -> PlannedCheck:
    (check,) = home.plan_of_check(text, options=allowing(home.options(), *allowed)).checks
    return check


@pytest.mark.parametrize("text", [UNDER, IN_PARAMS, WITHIN])
def test_what_disturbs_is_disruptive(text: str, home: Home) -> None:
    """Wherever it stands, in `under`, in params or in those of an observation: it runs alone, and only with consent."""
    check = planned_check(home, text)
    assert (check.info.disruptive, check.exclusive, check.skip) == (True, True, REFUSED)
    assert planned_check(home, text, "disruptive").skip is None
    assert len(check.faults) == 1


def test_the_target_is_that_of_the_check_by_default(home: Home) -> None:
    """As for observations; a fault that needs none has none."""
    assert [planned_check(home, text).faults[0].target for text in (UNDER, IN_PARAMS, WITHIN)] == [
        "store",
        "store",
        None,
    ]
    (planned,) = planned_check(home, UNDER).under
    assert planned.description == "store lets commands that write wait, for at most 3 s (CLIENT PAUSE)"


def test_what_is_not_configured_is_not_disturbed(home: Home) -> None:
    """A check whose fault has no target to disturb is skipped, though what it measures is there."""
    text = UNDER.replace("target: store", "target: absent")
    assert planned_check(home, text, "disruptive").skip == "target absent is not configured"


def test_what_is_far_away_takes_more_consent(home: Home) -> None:
    """Loopback and private addresses are near; all else needs --allow-remote, with the target and its place."""
    options = allowing(home.options(targets={"store": "redis://203.0.113.9:6379"}), "disruptive")
    (check,) = home.plan_of_check(UNDER, options=options).checks
    assert check.skip == (
        "redis.pause would disturb store at 203.0.113.9, which is neither loopback nor a private address; "
        "allow it with --allow-remote"
    )
    (check,) = home.plan_of_check(UNDER, options=replace(options, allow_remote=True)).checks
    assert check.skip is None


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("api.localhost", True),
        ("10.0.0.1", True),
        ("172.31.255.255", True),
        ("172.32.0.1", False),
        ("192.168.1.1", True),
        ("169.254.1.1", True),
        ("fd00::1", True),
        ("fe80::1", True),
        ("8.8.8.8", False),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("203.0.113.1", False),
        ("2001:4860:4860::8888", False),
        ("::ffff:8.8.8.8", False),
        ("example.com", False),
        ("redis", False),
        ("localhost.example.com", False),
        ("2130706433", False),
    ],
)
def test_what_is_near(host: str, near: bool) -> None:
    """This machine and private networks (RFC 1918, 3927, 4193); a name may be anywhere."""
    assert is_near(host) is near
