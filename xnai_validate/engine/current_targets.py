"""The targets of a run as they are now: a stack that moves rewrites its stack file while the run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from xnai_validate.model.target import Target
from xnai_validate.plan import PlannedTarget

UrlsOf = Callable[[str], Mapping[str, str]]
"""Returns target name -> url of a stack file as it is now, without a slash at its end; empty if it cannot be read."""


def no_urls(file: str) -> Mapping[str, str]:
    """The urls of a run that follows no stack file."""
    return {}


class CurrentTargets(Mapping[str, Target]):
    """Target name -> the target, with the url that its stack file names now.

    A url that is not from the file, such as one of the command line, stays. A file that is gone, is being written or
    names no url changes nothing.
    """

    def __init__(self, planned: Mapping[str, PlannedTarget], urls_of: UrlsOf, moved: Callable[[str], None]) -> None:
        """`moved` is called with a sentence about each target that moved."""
        self._targets = {name: each.target for name, each in planned.items()}
        self._urls_of, self._moved = urls_of, moved
        self._versions: dict[str, tuple[int, int]] = {}
        """Stack file -> its time and size when it was last read."""
        self._urls: dict[str, Mapping[str, str]] = {}
        """Stack file -> target name -> its url there."""
        for target in self._targets.values():
            if target.state_file is not None and target.state_file not in self._urls:
                self._versions[target.state_file] = _file_version(target.state_file) or (0, 0)
                self._urls[target.state_file] = self._urls_of(target.state_file)

    def __getitem__(self, name: str) -> Target:
        target = self._targets[name]
        if target.state_file is not None:
            self._reread(target.state_file)
        return self._targets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __len__(self) -> int:
        return len(self._targets)

    def _reread(self, file: str) -> None:
        """Read a stack file again if it has changed, and move the targets whose urls it changed."""
        version = _file_version(file)
        if version is None or version == self._versions.get(file):
            return
        now = self._urls_of(file)
        if not now:
            return  # half written: the next look reads it
        before, self._urls[file], self._versions[file] = self._urls.get(file, {}), now, version
        for name, target in self._targets.items():
            url = now.get(name)
            if target.state_file != file or url is None or url == target.url or target.url != before.get(name):
                continue
            self._targets[name] = replace(target, url=url)
            self._moved(f"target {name} moved to {url}: the stack file was rewritten")


def _file_version(file: str) -> tuple[int, int] | None:
    """Return the time of change and the size of a file; None if it cannot be read."""
    try:
        status = Path(file).stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
