"""Whether reports are the shards of one plan, each exactly once, so that together they are a run of the whole plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from xnai_validate.errors import ConfigError
from xnai_validate.model.results.report import RunReport, Shard

NAMED = 5
"""The most ids that a message names."""


@dataclass(frozen=True, slots=True)
class ShardReport:
    """The report of one shard."""

    name: str
    """What the user named it by: a file or the id of a run."""
    report: RunReport
    shard: Shard

    @property
    def place(self) -> str:
        """The file and the shard, for messages."""
        return f"{self.name} (shard {self.shard.name})"


def verified_shards(reports: Sequence[tuple[str, RunReport]]) -> tuple[ShardReport, ...]:
    """Return the shards of one plan, by their numbers.

    Args:
        reports: the name of each file or run, with its report.

    Raises ConfigError, with what to do, for reports of whole runs, shards of different plans, versions or divisions, a
    shard that is missing or given twice, and checks that count in no shard or in two.
    """
    found = []
    for name, report in reports:
        if report.run.shard is None:
            what = "a merged report" if report.run.shards else "a run of a whole plan"
            raise ConfigError(
                f"{name} is {what}, not one of several shards",
                hint="merge the shards of one plan (run --shard K/N); for several whole runs use report --integration",
            )
        found.append(ShardReport(name, report, report.run.shard))
    found.sort(key=lambda each: (each.shard.number, each.name))
    _refuse_different(found)
    _refuse_incomplete(found)
    _refuse_misplaced(found)
    return tuple(found)


def _refuse_different(found: Sequence[ShardReport]) -> None:
    """Raise ConfigError if two shards are not of the same run of the same plan."""
    first = found[0]
    values: tuple[tuple[str, Callable[[ShardReport], object], str], ...] = (
        ("versions of xnai-validate", lambda each: each.report.tool.version, "run every shard with one version"),
        ("profiles", lambda each: " ".join(each.report.run.profiles), "name the same profiles in every job"),
        ("numbers of shards", lambda each: each.shard.count, "give every job the same N of --shard K/N"),
        ("--fail-on", lambda each: " ".join(each.shard.fail_on), "give every job the same options"),
        ("--fail-if-none", lambda each: each.shard.fail_if_none, "give every job the same options"),
    )
    for other in found[1:]:
        for label, value_of, hint in values:
            if value_of(first) != value_of(other):
                there, here = f"{value_of(first)} in {first.place}", f"{value_of(other)} in {other.place}"
                raise ConfigError(f"the shards have different {label}: {there}, {here}", hint=hint)
        if differing := list(_list_differences(first.shard, other.shard)):
            raise ConfigError(
                f"{first.place} and {other.place} are of different plans: {', '.join(differing)}",
                hint="every job needs the same files, options, variables, and a stack of the same layout",
            )
        if first.shard.split != other.shard.split:
            raise ConfigError(
                f"{first.place} and {other.place} have divided the plan differently",
                hint="give every job the same file to --shard-times, or none",
            )


def _list_differences(first: Shard, other: Shard) -> Iterator[str]:
    """Yield in what the plans of two shards differ."""
    suites = sorted(
        name for name in first.plan.keys() | other.plan.keys() if first.plan.get(name) != other.plan.get(name)
    )
    if suites:
        yield f"checks of {_join_names(suites)}"
    if first.criteria != other.criteria:
        yield "success criteria"
    if not suites and (first.planned, first.title, first.narrowed) != (other.planned, other.title, other.narrowed):
        yield "selected checks"


def _refuse_incomplete(found: Sequence[ShardReport]) -> None:
    """Raise ConfigError if a shard is missing or given twice."""
    count = found[0].shard.count
    by_number: dict[int, list[ShardReport]] = {}
    for each in found:
        by_number.setdefault(each.shard.number, []).append(each)
    for number, same in by_number.items():
        if len(same) > 1:
            raise ConfigError(
                f"shard {number}/{count} is given {len(same)} times: {', '.join(each.name for each in same)}",
                hint=_advise_on_resumed(same) or "name each shard once",
            )
    missing = [f"{number}/{count}" for number in range(1, count + 1) if number not in by_number]
    if missing:
        raise ConfigError(
            f"the report of shard {', '.join(missing)} is missing",
            hint=f"name all {count} files; has its job ended, and kept its report?",
        )


def _advise_on_resumed(same: Sequence[ShardReport]) -> str | None:
    """Return what to do if a run of a shard has finished another; None if none has."""
    by_id = {each.report.run.id: each for each in same}
    for each in same:
        if (earlier := by_id.get(each.report.run.resumes or "")) is not None:
            return f"{each.name} has finished {earlier.name}, so leave that one out"
    return None


def _refuse_misplaced(found: Sequence[ShardReport]) -> None:
    """Raise ConfigError if a check counts in no shard or in two, or if a report lacks one of its own."""
    places = {check_id: place for each in found for check_id, place in each.shard.share.items()}
    counts = Counter(check_id for each in found for check_id in each.shard.share)
    twice = [check_id for check_id, count in counts.items() if count > 1]
    if twice:
        raise ConfigError(f"checks count in two shards: {_join_names(twice)}", hint="run all shards again")
    planned = found[0].shard.planned
    if sorted(places.values()) != list(range(1, planned + 1)):
        raise ConfigError(
            f"{planned - len(places)} of the {planned} checks of the plan count in no shard",
            hint="run all shards again",
        )
    for each in found:
        results = Counter(check.id for check in each.report.checks)
        if lacking := [check_id for check_id in each.shard.share if results[check_id] != 1]:
            raise ConfigError(
                f"{each.place} has no result of its own checks {_join_names(lacking)}", hint="run this shard again"
            )


def _join_names(names: Sequence[str]) -> str:
    """Join names by commas; of many, the first ones and a count."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
