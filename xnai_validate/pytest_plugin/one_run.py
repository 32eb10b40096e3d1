"""The run behind all items of a session: made when the first item needs it, once also for several processes."""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from xnai_validate import api
from xnai_validate.report.formats.json import parse
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View

STORED = "report.json"


class OneRun:
    """The report of the run that measures the selected checks."""

    def __init__(self, profiles: Sequence[str], options: api.Options, folder: Path | None) -> None:
        """`folder`: the folder that the processes of a session share; the first of them makes the run."""
        self._profiles = profiles
        self._options = options
        self._folder = folder
        self.report: api.RunReport | None = None
        """The report, once the run is over."""
        self._error: api.XnaiError | None = None

    def select(self, ids: Sequence[str] | None, *, fail_fast: bool) -> None:
        """Set the full ids of the checks that the run measures; None for all of the profiles."""
        self._options = {**self._options, "fail_fast": fail_fast}
        if ids is not None:
            self._options = {**self._options, "ids": list(ids)}

    def result(self, check_id: str) -> api.CheckResult:
        """Return the result of a check; the first call makes the run. Raises XnaiError if it cannot be made."""
        if self._error is not None:
            raise self._error
        try:
            return self._results[check_id]
        except KeyError:
            raise api.XnaiError(f"{check_id} is not part of the run") from None
        except api.XnaiError as error:
            self._error = error  # the other items need not try it again
            raise

    @cached_property
    def _results(self) -> dict[str, api.CheckResult]:
        """The result of each check by its id; the first use makes the run."""
        self.report = self._run() if self._folder is None else self._shared_report(self._folder)
        return {check.id: check for check in self.report.checks}

    def _run(self) -> api.RunReport:
        """Run the checks and return the report."""
        return api.run(*self._profiles, **self._options)

    def read(self, folder: Path) -> None:
        """Read the report that another process has made, if there is one."""
        if (folder / STORED).exists():
            self.report = parse((folder / STORED).read_bytes())

    def _shared_report(self, folder: Path) -> api.RunReport:
        """Return the report of the run that one process has made; the others wait for it at the lock."""
        stored = folder / STORED
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if stored.exists():
                return parse(stored.read_bytes())
            report = self._run()
            stored.write_text(FORMATS.get("json").text(report, View()), encoding="utf-8")
            return report
