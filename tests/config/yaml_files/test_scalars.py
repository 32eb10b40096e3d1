"""Plain scalars mean what a person reads in them."""

from __future__ import annotations

import pytest

from xnai_validate.config.yaml_files.scalars import environment_scalar, scalar


@pytest.mark.parametrize(
    "text",
    [
        "no", "yes", "on", "off", "y", "n", "No", "TRue", "1:30", "12:30:45", "010", "-010", "0b101", "1_000",
        "2026-11-22", "1e999", ".inf", "-.inf", ".nan", "1.2.3", "0x", "0o8", "--1", "-", "+", ".", "e3", "１２",
        "٣", "nul",
    ],
)  # fmt: skip
def test_what_looks_like_text_stays_text(text: str) -> None:
    """YAML 1.1's surprises (booleans, sexagesimals, octals, dates) and numbers that JSON cannot hold are text."""
    assert scalar(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("False", False), ("0", 0), ("-7", -7), ("+7", 7),
        ("0x1F", 31), ("0o17", 15), ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("-1.5E-2", -0.015),
    ],
)  # fmt: skip
def test_the_core_schema_of_yaml_1_2_is_understood(text: str, value: object) -> None:
    """Null, booleans, integers and fractions have the type that they show."""
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_numbers_from_the_environment_remember_their_spelling() -> None:
    """A number can still become the text that was written, should text be wanted after all."""
    assert environment_scalar("+5") == 5
    assert str(environment_scalar("+5")) == "+5"
    assert environment_scalar("1.50") == 1.5
    assert f"{environment_scalar('1.50')!s}" == "1.50"
    assert environment_scalar("true") is True
    assert environment_scalar("007") == "007"
