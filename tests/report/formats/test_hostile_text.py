"""Hostile text in every field of a report at once, in every format, read back by parsers that others wrote."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast
from xml.etree import ElementTree

import pytest
import yaml
from lxml import etree, html
from markdown_it import MarkdownIt
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from tests.report.pictured import pictured
from tests.report.runs import CASES, Script, finding
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

TEXTS = {
    "markup": "<script>alert(1)</script><!-- --><img src=x onerror=alert(1)>&amp;&#x41;",
    "end-of-cdata": "]]>]]&gt;<![CDATA[ x ]]> -->?>",
    "escape-sequences": "\x1b[2J\x1b]0;owned\x07\x1b[31mred\x9b1mx\x08\x7f",
    "nul": "a\0b\x01\x1f\ufffe\uffff",
    "lone-surrogates": "\ud800 and \udfff",
    "right-to-left": "\u202eabc\u202d \u2066x\u2069 \u200f \u061c",
    "line-ends": "a\nnot ok 1 - b\r\n1..0\rBail out!\u2028c\u2029d\x0b\x0c\x85e",
    "commands": "::error file=a,line=1::x\n::set-output name=a::b %0A::debug::",
    "markdown": "| a | b |\n# H\n[x](http://evil.example) ![y](http://evil.example/z) `c` **d** @user #1",
    "yaml-and-json": "'\"\\ --- ... {}[]:,&*#?|-<>=!%@`\t%{x}",
    "label": 'x"} 1\nxnai_validate_checks{a="b"} 2 \\',
}
TEXTS["all"] = "".join(TEXTS.values())
MEGABYTE = TEXTS["all"] + "x" * 1_000_000


def with_text_everywhere(value: Any, text: str) -> Any:
    """A value of a report with this text in each field that takes any text; a field of fixed words keeps its word."""
    if isinstance(value, str):
        return text
    if isinstance(value, tuple | list):
        return type(value)(with_text_everywhere(item, text) for item in value)
    if isinstance(value, dict):
        return {key: with_text_everywhere(item, text) for key, item in value.items()} | {text[:100]: 1}
    if not is_dataclass(value) or isinstance(value, type):
        return value
    for field in fields(value):
        with suppress(ValidationError, TypeError):
            value = replace(value, **{field.name: with_text_everywhere(getattr(value, field.name), text)})
    return value


def json_document(text: str) -> None:
    """json of the standard library, and no character beyond UTF-8."""
    assert json.loads(text)["checks"]


def xml_document(text: str) -> None:
    """expat and libxml2 read one document without recovering."""
    for root in (ElementTree.fromstring(text), etree.fromstring(text.encode(), etree.XMLParser(recover=False))):
        assert root.tag == "testsuites"
    assert {node.tag for node in ElementTree.fromstring(text).iter()} <= {
        "testsuites", "testsuite", "testcase", "failure", "error", "skipped", "properties", "property", "system-out",
        "system-err",
    }  # fmt: skip


def html_page(text: str) -> None:
    """libxml2's reader of HTML finds our own script, and no element that loads anything but our own images."""
    root = html.document_fromstring(text)
    assert len(cast(list[object], root.xpath("//script"))) == 1
    loading = (
        "//@src[not(starts-with(., 'data:image/svg+xml;base64,'))] | //img[not(@src)] | //@onerror | //link"
        " | //iframe | //form | //base"
    )
    assert cast(list[object], root.xpath(loading)) == []
    assert all(str(link).startswith("#") for link in cast(list[object], root.xpath("//@href")))


def markdown_text(text: str) -> None:
    """markdown-it finds no link, image or HTML, as GitHub would show it."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(text)
    kinds = {inner.type for token in tokens for inner in (token, *(token.children or ()))}
    assert not kinds & {"link_open", "image", "html_block"}


def tap_lines(text: str) -> None:
    """Perl's TAP::Parser, or PyYAML where Perl has it not, reads every point and every block."""
    points, blocks = (
        re.findall(r"^(?:not )?ok \d+", text, re.MULTILINE),
        re.findall(r"^  ---\n(.*?)^  \.\.\.$", text, re.M | re.S),
    )
    assert all(isinstance(yaml.safe_load(block), dict) for block in blocks)
    code = (
        "use TAP::Parser; my $p = TAP::Parser->new({ tap => do { local $/; <STDIN> } }); my $y = 0;"
        "while (my $r = $p->next) { $y += $r->is_yaml; print 'unknown ' if $r->is_unknown }"
        "print join ' ', $y, $p->tests_run, $p->parse_errors"
    )
    read = subprocess.run(
        [shutil.which("perl") or "perl", "-e", code],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if "Can't locate TAP/Parser.pm" not in read.stderr:
        assert (read.stdout, read.stderr) == (f"{len(blocks)} {len(points)}", "")


def workflow_commands(text: str) -> None:
    """Every line is a command of ours."""
    assert all(re.match(r"::(error|warning|notice) [a-z]+=", line) for line in text.splitlines())


def metrics(text: str) -> None:
    """Prometheus' own parser finds our families and no other."""
    assert all(family.name.startswith("xnai_validate_") for family in text_string_to_metric_families(text))


def plain_lines(text: str) -> None:
    """A terminal gets lines."""
    assert text.strip()


ACCEPTED_BY: dict[str, Callable[[str], None]] = {
    "github": workflow_commands,
    "html": html_page,
    "json": json_document,
    "junit": xml_document,
    "markdown": markdown_text,
    "prometheus": metrics,
    "tap": tap_lines,
    "terminal": plain_lines,
}
CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)


def test_every_format_has_a_parser() -> None:
    """A new format comes with one; JSON lines are the events themselves, and are tested with the journal."""
    assert set(ACCEPTED_BY) == {name for name in FORMATS.names() if not FORMATS.get(name).streaming}


@pytest.mark.parametrize("name", ACCEPTED_BY)
@pytest.mark.parametrize("text", TEXTS)
def test_hostile_text_breaks_no_format(name: str, text: str) -> None:
    """Whatever a server sent, an independent parser accepts the report, and no control character is in it."""
    for case in (CASES["failed"][1], CASES["hostile"][1], pictured):
        built = build_report(case())
        report = with_text_everywhere(built, TEXTS[text])
        assert report.checks[0].title == TEXTS[text] != built.checks[0].title
        written = FORMATS.get(name).text(report, View())
        verify(name, written)


@pytest.mark.parametrize("name", ACCEPTED_BY)
def test_a_megabyte_breaks_no_format(name: str) -> None:
    """A text of a megabyte, as a reason, as a measured value and as a fact, is cut or shown, and harmless."""
    failed = finding("text", "equals", "a", MEGABYTE)
    script = Script("Long", "long")
    script.check("a/b:c", "C", Status.FAIL, reason=MEGABYTE, findings=(failed,), facts={"text": MEGABYTE})
    verify(name, FORMATS.get(name).text(build_report(script.events()), View()))


def verify(name: str, written: str) -> None:
    """No control character, and accepted by the parser of the format."""
    found = CONTROL.search(written)
    assert found is None, (ascii(found[0]), ascii(written[max(0, found.start() - 80) : found.end() + 20]))
    ACCEPTED_BY[name](written)
