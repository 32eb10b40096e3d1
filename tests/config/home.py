"""A directory with profiles and suites, written by a test and loaded from there."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

from xnai_validate.config.compile.load import load_plan
from xnai_validate.config.options import LoadOptions
from xnai_validate.model.json import JsonObject
from xnai_validate.model.source_location import InvalidConfig, Problem
from xnai_validate.model.target import Choice
from xnai_validate.plan import Plan

BASE = """
title: Base
suites: [case/*]
targets:
  api: {url: "http://127.0.0.1:1/base"}
  store: {url: "redis://127.0.0.1:2/0"}
  absent: {}
vars: {layout: A, budget: {ms: 200}, token: null, "list": [{"name": first}]}
"""


@dataclass
class Home:
    """Where profiles and suites are written."""

    path: Path

    def write(self, name: str, text: str) -> Path:
        """Write a file below the directory."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def suite(self, text: str, name: str = "case/one") -> Path:
        """Write a suite."""
        return self.write(f"checks/{name}.yaml", text)

    def profile(self, text: str = BASE, name: str = "base") -> Path:
        """Write a profile; by default one that runs all suites of the category `case`."""
        return self.write(f"profiles/{name}.yaml", text)

    def options(
        self,
        *,
        environ: dict[str, str] | None = None,
        targets: dict[str, str] | None = None,
        vars: dict[str, str] | None = None,
        stack: JsonObject | None = None,
        only: tuple[str, ...] = (),
        tags: frozenset[str] = frozenset(),
        choices: dict[str, Choice] | None = None,
    ) -> LoadOptions:
        """Options that search here and know no environment but the one given."""
        return LoadOptions(
            targets=targets or {},
            vars=vars or {},
            stack=stack,
            only=only,
            tags=tags,
            environ=environ or {},
            cwd=self.path,
            choices=choices or {},
        )

    def load(self, *names: str, options: LoadOptions | None = None) -> Plan:
        """The plan of profiles; by default of `base`."""
        return load_plan(names or ("base",), options or self.options())

    def problems(self, *names: str, options: LoadOptions | None = None) -> tuple[Problem, ...]:
        """The errors of profiles; none where they load."""
        try:
            self.load(*names, options=options)
        except InvalidConfig as errors:
            return errors.problems
        return ()

    def plan_of_check(self, check: str, *, options: LoadOptions | None = None) -> Plan:
        """The plan of the base profile with one suite of one check, given as the lines of its mapping."""
        self.profile()
        body = textwrap.indent(textwrap.dedent(check).strip(), "    ")
        self.suite(f"title: One\nchecks:\n  - id: it\n    title: It\n{body}\n")
        return self.load(options=options)


def allowing(options: LoadOptions, *what: str) -> LoadOptions:
    """The options with something more allowed."""
    return replace(options, allow=options.allow | set(what))


def error_lines(problems: tuple[Problem, ...]) -> list[str]:
    """Each error as `line: message; hint`, or `-: ...` where it stands in no file."""
    return [
        f"{problem.place.line if problem.place else '-'}: {problem.message}"
        + (f"; {problem.hint}" if problem.hint else "")
        for problem in problems
    ]
