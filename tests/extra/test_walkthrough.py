"""docs/walkthrough.md: a whole stack, from its compose file to a gate that is red and green, as a true transcript."""

from __future__ import annotations

import re

import pytest

from tests.extra.walkthrough.stack import SECRETS, bookshop, install
from tests.extra.walkthrough.transcript import PAGE, carry_out, commands, unchanging

pytestmark = pytest.mark.extra


def test_the_transcript_is_what_the_commands_print() -> None:
    """The page with the output of now is the page that is committed, but for times and ids; no secret is in it."""
    install()
    text = PAGE.read_text(encoding="utf-8")
    with bookshop() as shop:
        written = carry_out(text, shop)
        assert (shop.home / "junit.xml").is_file()
        assert (shop.home / "report.html").is_file()
    assert unchanging(written) == unchanging(text)
    assert not any(secret in written for secret in SECRETS.values())


def test_the_way_is_short_and_has_both_colours() -> None:
    """Under ten commands; the last runs are red, then green."""
    text = PAGE.read_text(encoding="utf-8")
    assert len(commands(text)) < 10
    verdicts = re.findall(r"^(PASSED|FAILED) \(exit (\d)\)", text, re.MULTILINE)
    assert ("FAILED", "1") in verdicts
    assert verdicts[-1] == ("PASSED", "0")
