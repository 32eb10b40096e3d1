"""Values of options: each is parsed to its type, or is a usage error that shows how to write it."""

from __future__ import annotations

import pytest
import typer

from xnai_validate.cli.option_values import (
    MAX_KEY_PARTS,
    Assignment,
    address,
    assignment,
    duration,
    http_url,
    parsed_by,
    statuses,
    variable,
)
from xnai_validate.errors import ConfigError
from xnai_validate.model.results.status import Status


def test_values_are_parsed() -> None:
    """A value may contain `=`; statuses stand between commas or blanks; a duration is in seconds."""
    assert assignment("api=http://h/?a=b") == Assignment("api", "http://h/?a=b")
    assert variable("a.b=c=d") == Assignment("a.b", "c=d")
    assert address("0.0.0.0:9095") == "0.0.0.0:9095"
    assert duration("1m30s") == 90.0
    assert statuses("warn, flaky skip") == (Status.WARN, Status.FLAKY, Status.SKIP)


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (assignment, "api", "api is not of the form NAME=VALUE"),
        (assignment, "=x", "is not of the form"),
        (variable, "a" + ".b" * MAX_KEY_PARTS + "=1", "has more than 32 parts"),
        (address, "9095", "write HOST:PORT"),
        (address, "host:0", "write HOST:PORT"),
        (address, "host:65536", "write HOST:PORT"),
        (http_url, "ftp://a/", "write a url"),
        (http_url, "http://", "write a url"),
        (http_url, "http://a:0/", "write a url"),
        (http_url, "http://a:99999/", "Port out of range"),
        (http_url, "http://[::1", "Invalid IPv6 URL"),
        (duration, "60", "write a number with a unit"),
        (duration, "0s", "is not more than 0"),
        (statuses, "wran", 'unknown status "wran"; did you mean "warn"?'),
        (statuses, "pass", 'unknown status "pass"'),
    ],
)
def test_wrong_values_are_usage_errors(parse: object, text: str, message: str) -> None:
    """The message shows what is wrong and how to write it."""
    assert callable(parse)
    with pytest.raises(typer.BadParameter) as raised:
        parsed_by(parse)(text)
    assert message in raised.value.message


def test_a_config_error_keeps_its_hint() -> None:
    """The hint follows the message; a default, which is parsed already, is returned as it is."""

    def refuse(text: str) -> int:
        raise ConfigError("unknown", hint="did you mean it?")

    with pytest.raises(typer.BadParameter, match=r"^unknown; did you mean it\?$"):
        parsed_by(refuse)("x")
    assert parsed_by(refuse)(7) == 7
