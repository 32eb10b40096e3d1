"""TAP, read back line by line and its blocks by a YAML parser."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import yaml
from hypothesis import given, settings

from tests.report.hostile_text import ANY_TEXT, report_with
from tests.report.runs import CASES, disturbed
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.text import printable
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

FAILED = build_report(CASES["failed"][1]())


def made(report: RunReport) -> str:
    """Return the report in this format."""
    return FORMATS.get("tap").text(report, View())


def points(text: str) -> tuple[list[str], list[dict[str, object]]]:
    """The test points of a TAP document and its YAML blocks; the plan must be kept."""
    head, plan, *lines = text.splitlines()
    assert head == "TAP version 13"
    found = [line for line in lines if re.match(r"(not )?ok \d+ ", line)]
    assert plan == f"1..{len(found)}"
    assert [int(re.findall(r"\d+", line)[0]) for line in found] == list(range(1, len(found) + 1))
    blocks = re.findall(r"^  ---\n(.*?)^  \.\.\.$", text, re.MULTILINE | re.DOTALL)
    inside = sum(len(block.splitlines()) + 2 for block in blocks)
    others = sum(line.startswith(("Bail out!", "# ")) for line in lines)
    assert len(lines) == len(found) + inside + others, "a line that belongs to nothing"
    return found, [yaml.safe_load(block) for block in blocks]


def test_tap_agrees_with_the_report() -> None:
    """Failures, errors and unmet criteria are `not ok`, skips have a reason, and each block has the check's place."""
    found, blocks = points(made(FAILED))
    unmet = sum(not criterion.met for criterion in FAILED.criteria)
    assert sum(line.startswith("not ok") for line in found) == FAILED.summary.fail + FAILED.summary.error + unmet
    assert sum(" # SKIP " in line for line in found) == FAILED.summary.skip
    assert any(block.get("at") == "checks/streaming/stream.yaml:15" for block in blocks)
    stopped = made(build_report(CASES["deadline"][1]()))
    assert stopped.endswith("Bail out! deadline\n")
    left = made(build_report(disturbed(proven=False)))
    assert left.endswith("Bail out! a fault may still be in force; revert it with: xnai-validate undo\n")
    assert "Bail out!" not in made(build_report(disturbed(proven=True)))


@settings(deadline=None, max_examples=150)
@given(ANY_TEXT)
def test_no_text_breaks_tap(text: str) -> None:
    """Whatever a server sent, the points stay three and their blocks YAML."""
    found, blocks = points(made(report_with(text)))
    assert [line.startswith("not ok") for line in found] == [True, True, False, True]
    assert len(blocks) == 3
    assert all(printable(line) == line for line in found)


PARSE = r"""
use TAP::Parser;
my $parser = TAP::Parser->new({ tap => do { local $/; <STDIN> } });
my $yaml = 0;
while (my $result = $parser->next) { $yaml += $result->is_yaml; print $result->raw, "\n" if $result->is_unknown }
print "$yaml blocks, ", $parser->tests_run, " run, ", join("; ", $parser->parse_errors), "\n";
"""


@pytest.mark.parametrize("case", ["failed", "hostile", "compared", "undecided"])
def test_perl_reads_the_report(case: str) -> None:
    """Perl's own TAP::Parser, which is behind `prove`, reads every point and every block, also with hostile text."""
    perl = shutil.which("perl")
    assert perl is not None, "Debian installs perl with every system"
    text = made(build_report(CASES[case][1]()))
    read = subprocess.run([perl, "-e", PARSE], input=text, capture_output=True, text=True, check=False, timeout=60)
    if "Can't locate TAP/Parser.pm" in read.stderr:  # perl-base alone: what it would read is read by PyYAML above
        return
    count = len(re.findall(r"^(?:not )?ok ", text, re.MULTILINE))
    blocks = text.count("\n  ---\n")
    assert (read.stdout, read.stderr) == (f"{blocks} blocks, {count} run, \n", "")
