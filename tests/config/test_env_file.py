"""Files of environment variables, as Compose and shells write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from xnai_validate.config.env_file import read_env_file
from xnai_validate.errors import ConfigError

TEXT = r"""
# a comment
A=1
export B=two words   # a comment
C='lit$eral # not a comment'  # a comment
D="a \"quoted\"\nline"
E=
F=#nothing
G = spaced
H=a#b
I: colon
J="two
lines"
A=2
"""


def test_lines_are_read_as_compose_reads_them(tmp_path: Path) -> None:
    """Quotes, comments, `export` and later lines; the byte order mark is not part of a name."""
    path = tmp_path / ".env"
    path.write_text("\ufeff" + TEXT, encoding="utf-8")
    assert read_env_file(path) == {
        "A": "2",
        "B": "two words",
        "C": "lit$eral # not a comment",
        "D": 'a "quoted"\nline',
        "E": "",
        "F": "",
        "G": "spaced",
        "H": "a#b",
        "I": "colon",
        "J": "two\nlines",
    }


def test_the_line_of_an_error_is_counted_over_values_that_span_lines(tmp_path: Path) -> None:
    """Blank lines, comments and line breaks within quotes count."""
    path = tmp_path / "x.env"
    path.write_text('\n# c\nA="1\n2\n3"\n\nwrong\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"x\.env:7: not a line NAME=value"):
        read_env_file(path)


@pytest.mark.parametrize("line", ["no equals", "1A=x", "A='open", 'A="open', "A='a'b"])
def test_a_line_that_is_none_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    """The error has the line's number and not its text, which may be a secret."""
    path = tmp_path / "x.env"
    path.write_text(f"OK=1\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"x\.env:2: not a line NAME=value") as error:
        read_env_file(path)
    assert line not in error.value.message


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """The reason is that of the system."""
    with pytest.raises(ConfigError, match="No such file"):
        read_env_file(tmp_path / "none.env")


def test_a_value_with_a_null_character_is_an_error(tmp_path: Path) -> None:
    """The system would end it there; the value is not shown."""
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\nTOKEN=abc\0def\n")
    with pytest.raises(ConfigError, match=":2: the value of TOKEN has a null character") as caught:
        read_env_file(path)
    assert "abc" not in caught.value.message
