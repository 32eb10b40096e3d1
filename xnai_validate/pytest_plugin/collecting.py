"""Collects the checks of profiles as items, marked with their categories and tags."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from xnai_validate import api
from xnai_validate.plan import NOTHING, Plan, PlannedCheck
from xnai_validate.pytest_plugin.items import CheckItem, Flaky, text_of_run
from xnai_validate.pytest_plugin.one_run import OneRun
from xnai_validate.sharding.number import ShardNumber, shard_number
from xnai_validate.sharding.split import split

SHARED = "xnai_shared"
"""The key under which pytest-xdist's workers get the folder that they share."""
_RESERVED = frozenset({"skip", "skipif", "xfail", "parametrize", "usefixtures", "filterwarnings"})


class Profile(pytest.Collector):
    """The checks of the profiles that are named together."""

    def collect(self) -> Iterable[pytest.Item]:
        """Return no items: `Checks` makes them."""
        return []


class Checks:
    """The checks of one session, and the run that measures them."""

    def __init__(self, config: pytest.Config) -> None:
        self._profiles: list[str] = config.getoption("--xnai-profile")
        self._options = _options(config)
        self._shard = _parse_shard(config.getoption("--xnai-shard"))
        self._folder: Path | None = None
        self._count = 0
        """How many checks the profiles have."""
        shared = getattr(config, "workerinput", {}).get(SHARED)
        self._run = OneRun(self._profiles, self._options, Path(shared) if shared else None)
        if config.args_source is not pytest.Config.ArgsSource.ARGS:
            config.args = []  # the checks are what was asked for, not the tests of the current folder

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: object) -> None:
        """Give a worker of pytest-xdist the folder in which all of them share one run."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="xnai-validate-"))
        node.workerinput[SHARED] = str(self._folder)  # type: ignore[attr-defined]

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add an item for each check, before items are deselected by -k, -m and --lf."""
        planned = self._plan()
        self._count = len(planned.checks)
        parent = Profile.from_parent(session, name="+".join(self._profiles), nodeid="+".join(self._profiles))
        known: set[str] = set()
        for check in self._own_checks(planned):
            item = CheckItem.from_parent(parent, name=check.id, info=check.info, run=self._run)
            for mark in _marks(check.info.category, *check.info.tags):
                if mark not in known:
                    known.add(mark)
                    session.config.addinivalue_line("markers", f"{mark}: checks of xnai-validate")
                item.add_marker(mark)
            items.append(item)

    def _plan(self) -> Plan:
        """Return the plan of the profiles. Raises UsageError."""
        try:
            return api.plan(*self._profiles, **self._options)
        except api.XnaiError as error:
            raise pytest.UsageError(f"{error.message}; {error.hint}" if error.hint else error.message) from None

    def _own_checks(self, planned: Plan) -> Sequence[PlannedCheck]:
        """Return the checks of the shard; what these need is measured as well, and is an item of its own shard."""
        if self._shard is None:
            return planned.checks
        own = split(planned, self._shard.total, NOTHING).shares[self._shard.number - 1]
        return [check for check in planned.checks if check.id in own]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep the ids of the checks that were selected: the run measures these, and what they need."""
        chosen = [item.info.id for item in session.items if isinstance(item, CheckItem)]
        fail_fast = session.config.getoption("maxfail") == 1
        self._run.select(None if len(chosen) == self._count else chosen, fail_fast=fail_fast)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail the session for what is not an item: a fault that was not reverted, a criterion that is not met."""
        if self._folder is not None:
            self._run.read(self._folder)
            shutil.rmtree(self._folder, ignore_errors=True)
        report = self._run.report
        if report is not None and report.exit_code and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self._shard and not self._own_checks(self._plan()):
            session.exitstatus = pytest.ExitCode.OK  # there are more shards than the checks can be divided into

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write what is flaky, the notices of the run and its verdict."""
        reports = terminalreporter.getreports("passed")
        flaky = [report for report in reports if any(name == Flaky for name, _ in report.user_properties)]
        if flaky:
            terminalreporter.section("flaky checks")
        for report in flaky:
            terminalreporter.line(f"{report.nodeid}: {dict(report.user_properties)[Flaky]}")
        if self._run.report is not None:
            terminalreporter.section("xnai-validate")
            for line in text_of_run(self._run.report):
                terminalreporter.line(line)


def _marks(*names: str) -> Iterator[str]:
    """The marks of a check: those that cannot be used with -m as they are get underscores, or a prefix."""
    yield "xnai"
    for name in dict.fromkeys(names):
        mark = re.sub(r"\W", "_", name)
        yield f"xnai_{mark}" if mark in _RESERVED or not mark.isidentifier() else mark


def _options(config: pytest.Config) -> api.Options:
    """The options of the run. Raises UsageError."""
    options: api.Options = {
        "targets": dict(_parse_assignments(config, "--xnai-target")),
        "vars": dict(_parse_assignments(config, "--xnai-var")),
        "paths": [Path(path) for path in config.getoption("--xnai-path")],
        "allow": config.getoption("--xnai-allow"),
        "demo": config.getoption("--xnai-demo"),
    }
    stack = config.getoption("--xnai-stack")
    return {**options, "stack": Path(stack)} if stack else options


def _parse_assignments(config: pytest.Config, option: str) -> Iterator[tuple[str, str]]:
    """Yield the NAME=VALUE pairs of an option. Raises pytest.UsageError."""
    for text in config.getoption(option):
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise pytest.UsageError(f"{option} {text} is not of the form NAME=VALUE")
        yield name, value


def _parse_shard(text: str | None) -> ShardNumber | None:
    """Return the shard of `--xnai-shard`, if it is given. Raises UsageError."""
    try:
        return None if text is None else shard_number(text)
    except ValueError as error:
        raise pytest.UsageError(f"--xnai-shard {error}") from None
