"""Variables in compose files, in all their forms; what is not a reference stays as it is."""

from __future__ import annotations

import pytest

from xnai_validate.importing.compose.interpolation import Interpolation, names_in

KNOWN = {"SET": "yes", "EMPTY": "", "PORT": "80"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$SET", "yes"),
        ("${SET}:$PORT", "yes:80"),
        ("${UNSET}", ""),
        ("${UNSET:-a}${EMPTY:-b}${SET:-c}", "abyes"),
        ("${UNSET-a}${EMPTY-b}${SET-c}", "ayes"),
        ("${UNSET:+a}${EMPTY:+b}${SET:+c}", "c"),
        ("${UNSET+a}${EMPTY+b}${SET+c}", "bc"),
        ("${UNSET:?why}${EMPTY?why}", ""),
        ("${UNSET:-${OTHER:-${PORT}}}", "80"),
        ("${P:-:2283:2283}", ":2283:2283"),
        ("$$SET $${SET}", "$SET ${SET}"),
        ("cost: 5$ and ${ and $1", "cost: 5$ and ${ and $1"),
    ],
)
def test_every_form_has_its_value(text: str, expected: str) -> None:
    """The results are those of the Compose Specification, 12."""
    assert Interpolation(KNOWN).text(text) == expected


def test_names_are_kept_beside_values() -> None:
    """A password is written down by its name, so a text keeps the names that it was made of, those of defaults too."""
    assert names_in(Interpolation(KNOWN).text("${UNSET:-${PORT}}@$SET")) == ("UNSET", "PORT", "SET")
    assert names_in("plain") == ()


def test_variables_without_value_are_noted() -> None:
    """A required one is noted with the words of the file."""
    interpolation = Interpolation(KNOWN)
    interpolation.value({"a": ["$UNSET", "${TOKEN:?set a token}", "${OPTIONAL:-x}"]})
    assert interpolation.missing == {"UNSET": "", "TOKEN": "set a token"}


def test_nesting_is_bounded() -> None:
    """A text of a thousand nested defaults ends, without the depth of the interpreter's stack."""
    text = "${A:-" * 1000 + "x" + "}" * 1000
    assert Interpolation({}).text(text).count("${A:-") < 1000


@pytest.mark.parametrize("text", ["${A:-" * 50_000 + "x" + "}" * 50_000, "${" * 100_000, "${A:-" * 100_000])
def test_braces_are_paired_in_one_pass(text: str) -> None:
    """However many there are: looking for the end of each would take minutes."""
    assert len(Interpolation({}).text(text)) <= len(text)
