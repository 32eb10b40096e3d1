"""The lines that errors show have no credential, wherever in the file its name stands."""

from __future__ import annotations

from functools import partial

import pytest

from xnai_validate.config.yaml_files.document import Source, parse_source
from xnai_validate.model.judging.cpu_limit import within_cpu_limit
from xnai_validate.model.source_location import SourceLocation

SECRET = "hunter2hunter"


def shown(text: str) -> list[str]:
    """Every line of a file as an error shows it."""
    source, problems = parse_source(text.encode(), "it.yaml")
    if source is None:
        (problem,) = problems
        assert problem.place is not None
        source = Source("it.yaml", text.encode(), None)
    places = [SourceLocation("it.yaml", line, 1) for line in range(1, text.count("\n") + 1)]
    return [source.problem_at(place, "wrong").excerpt or "" for place in places]


@pytest.mark.parametrize(
    "text",
    [
        f"password: |\n  {SECRET}\n  {SECRET}\nb: c\n",
        f"password: >-\n\n    {SECRET}\nb: c\n",
        f"password:\n  {SECRET}\nb: c\n",
        f"password: one\n  {SECRET}\nb: c\n",
        f'password: "one\n  {SECRET}"\nb: c\n',
        f"password: 'one\n  {SECRET}'\nb: c\n",
        f"password: &p !!str\n  {SECRET}\nb: c\n",
        f"headers:\n  - name: X-Api-Key\n    value: {SECRET}\nb: c\n",
        f"headers:\n  - value: {SECRET}\n    name: X-Api-Key\nb: c\n",
        f"headers:\n  - [X-Api-Key, {SECRET}]\nb: c\n",
        f"headers:\n  -\n    - X-Api-Key\n    - {SECRET}\nb: c\n",
        f"headers:\n  X-Api-Key:\n    - {SECRET}\nb: c\n",
        f"command:\n  - tool\n  - --password\n  - {SECRET}\nb: c\n",
        f"cookies:\n  sid: {SECRET}\nb: c\n",
        f"token:\n  value: {SECRET}\n  ttl: 5\nb: c\n",
        f"x-plain: &plain {SECRET}\npassword: *plain\nb: c\n",
        f"x-plain: &plain {{sid: {SECRET}}}\ncookies: *plain\nb: c\n",
        f"x-plain: &plain\n  - {SECRET}\napi_keys: *plain\nb: c\n",
        f"password: {SECRET}4711\ntitle: it was {SECRET}4711\nb: c\n",
        f"headers: {{Authorization: Bearer {SECRET}4711}}\ntitle: it was {SECRET}4711\nb: c\n",
        f"vars:\n  plain: {SECRET}\nheaders: {{Authorization: 'Bearer ${{plain}}'}}\nb: c\n",
        f"vars:\n  a:\n    b: {SECRET}\npassword: ${{a.b}}\nb: c\n",
        f'body: |\n  {{"password":\n    "{SECRET}"}}\nb: c\n',
        f"body: >\n  Authorization:\n   {SECRET}\nb: c\n",
        f"key: |\n  -----BEGIN RSA PRIVATE KEY-----\n  {SECRET}\n  {SECRET}\n  -----END RSA PRIVATE KEY-----\nb: c\n",
        f"a: &k password\nb:\n  *k :\n    {SECRET}\nb: c\n",
        f"? {{x: y}}\n: z\ntoken:\n  {SECRET}\nb: c\n",
        f"password: a{SECRET}&{SECRET}#{SECRET}\nb: c\n",
        f"password: ${{PW:-{SECRET}}}\nb: c\n",
        # No YAML from some line on.
        f"a: [\npassword: |\n  {SECRET}\n\tx\nb: c\n",
        f'a: \'\npassword: "one\n{SECRET}"\nb: c\n',
        f"a: }}\ntoken:\n  {SECRET}\nb: c\n",
        f"a: {{b: c\n  , password:\n  {SECRET}: [\nb: c\n",
    ],
)
def test_a_credential_is_shown_in_no_line(text: str) -> None:
    """Not where its name stands in another line, an anchor is used elsewhere, or the file is no YAML from there on."""
    assert SECRET in text
    lines = shown(text)
    assert SECRET not in "\n".join(lines)
    assert lines[-1] == "b: c"


@pytest.mark.parametrize(
    "text",
    [
        "title: |\n  The password is asked for\n  token by token\n",
        "capture:\n  id:\n    json: $.id\n    secret: true\n",
        "targets:\n  redis:\n    password_env: REDIS_PASSWORD\n    cookies: keep\n",
        "headers:\n  Authorization: Bearer ${API_TOKEN}\n",
        "auth:\n  scheme: bearer\n  secret_env: API_TOKEN\n",
        "steps:\n  - name: token\n    kind: http.request\n",
        "expect:\n  json:\n    $.max_tokens: 5\n  tokens: 12\n",
        "order:\n  - sources\n  - token\n  - done\n",
        "x-plain: &plain hello\ntitle: *plain\n",
    ],
)
def test_other_lines_are_shown_as_they_are(text: str) -> None:
    """Plain text, references, the names of variables and flags stay."""
    assert shown(text) == text.removesuffix("\n").split("\n")


def test_columns_stay_where_they_are() -> None:
    """As many asterisks as characters, so that the caret stands under what is wrong."""
    assert shown("password: |\n  one two\nb: &x abcd1234e\nc: {token: *x, d: e}\n") == [
        "password: |",
        "  *******",
        "b: &x *********",
        "c: {token: **, d: e}",
    ]


def test_lines_are_those_of_yaml() -> None:
    """A line separator of Unicode ends a line in YAML too: the excerpt is the line of the error, not another one."""
    source, _ = parse_source("a: 'x'\u2028password:\n  hunter2hunter\nb: {c: d}\n".encode(), "it.yaml")
    assert source is not None
    assert [source.problem(steps, "wrong").excerpt for steps in (("b", "c"), ("password",))] == [
        "b: {c: d}",
        "  *************",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a: [\n" + "a:|" * 100_000 + '"\n',
        "x: |\n" + "  password: abcd\n" * 20_000 + "b: [\n",
        "x: &x |\n" + "  abcd\n" * 3_000 + "passwords: [" + "*x, " * 20_000 + "]\nb: [\n",
        "x: &x {" + "".join(f"a{n}: 1, " for n in range(20_000)) + "}\ntoken: [" + "*x, " * 20_000 + "]\nb: [\n",
        "x: |\n  " + "password=${" * 20_000 + "\n  y\nb: [\n",
    ],
    ids=["blocks", "credentials", "aliases", "aliases-of-mappings", "references"],
)
def test_looking_for_credentials_costs_little(text: str) -> None:
    """Whatever a file has: each part of it is passed over once, not for each line, credential or alias."""
    source = Source("it.yaml", text.encode(), None)
    place = SourceLocation("it.yaml", text.count("\n"), 1)
    problem = within_cpu_limit(10.0, partial(source.problem_at, place, "wrong"))
    assert "abcd" not in (problem.excerpt or "")
