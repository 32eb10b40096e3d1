"""Globs on ids of checks."""

from __future__ import annotations

from xnai_validate.config.compile.selection.id_globs import GLOB_CAP, id_pattern


def test_brackets_stand_for_a_set_and_for_themselves() -> None:
    """The id of a check with a matrix has brackets."""
    assert id_pattern("db/ready:ping[orders]").match("db/ready:ping[orders]")
    assert id_pattern("db/ready:[ab]").match("db/ready:a")
    assert not id_pattern("db/ready:ping[orders]").match("db/ready:ping[orders]x")


def test_a_glob_longer_than_the_cap_is_literal() -> None:
    """It matches the text itself, not what begins with it, and its stars are stars."""
    text = "a" * (GLOB_CAP + 1)
    assert id_pattern(text).match(text)
    assert not id_pattern(text).match(f"{text}b")
    assert not id_pattern("*" * (GLOB_CAP + 1)).match(text)
