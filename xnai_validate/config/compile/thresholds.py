"""The thresholds of profiles: rules that replace those of all checks whose id matches a glob."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from xnai_validate.config.compile.measurements.measurements import Measurements, RulesByFact
from xnai_validate.config.compile.profile_chain import Profile
from xnai_validate.config.compile.selection.id_globs import id_pattern
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.kit import Checker
from xnai_validate.model.json import JsonObject
from xnai_validate.model.suggestions import did_you_mean


@dataclass(slots=True)
class Threshold:
    """Rules for all checks whose id matches a glob."""

    pattern: re.Pattern[str]
    glob: str
    rules: JsonObject
    where: Where
    named: bool
    """Whether its profile is named on the command line; an inherited one may be about suites that do not run."""
    matched: dict[str, Checker] = field(default_factory=dict)
    """Full id -> checker, of the checks that it was asked about and matches."""


class Thresholds:
    """All thresholds of a run; where several name the same fact of a check, the last one counts."""

    def __init__(self, profiles: Iterable[Profile], measurements: Measurements) -> None:
        self._measurements = measurements
        self._thresholds = [
            Threshold(id_pattern(glob), glob, rules, profile.where.at("thresholds", glob), profile.link.named)
            for profile in profiles
            for glob, rules in profile.file.thresholds.items()
        ]

    def rules_of(self, check_id: str, kind: str) -> RulesByFact:
        """The `expect` rules, by fact, that replace those of a check of this kind; rules with errors are noted."""
        rules: RulesByFact = {}
        for threshold in self._thresholds:
            if not threshold.pattern.match(check_id):
                continue
            checker = self._measurements.checker(kind, Where(None))
            if checker is not None:
                threshold.matched[check_id] = checker
                known = {fact: rule for fact, rule in threshold.rules.items() if fact in checker.types}
                rules |= self._measurements.parse(checker, known, threshold.where)
        return rules

    def report_unmatched(self, ids: Collection[str], problems: Problems) -> None:
        """Note an error for each threshold that matches none of the ids, or names a fact of none of their kinds."""
        for threshold in self._thresholds:
            checkers = [checker for check_id, checker in threshold.matched.items() if check_id in ids]
            if not checkers:
                if threshold.named:
                    message = f'the threshold "{threshold.glob}" matches no check'
                    problems.at(threshold.where, message, did_you_mean(threshold.glob, ids), key=True)
                continue
            known = {fact for checker in checkers for fact in checker.types}
            for fact in threshold.rules:
                if fact not in known:
                    kinds = ", ".join(sorted({checker.kind for checker in checkers}))
                    message = f'unknown fact "{fact}" of {kinds}'
                    problems.at(threshold.where.at(fact), message, did_you_mean(fact, known), key=True)
            if not threshold.rules:
                problems.at(threshold.where, "the threshold has no rules", key=True)
