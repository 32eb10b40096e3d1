"""Root causes of a run: the checks that failed for one reason, and those that could not be measured because of it."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator, Sequence
from urllib.parse import urlsplit

from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.judging.rules import Level
from xnai_validate.model.results.report import Cause, CheckResult
from xnai_validate.model.results.severity import CRITICAL_TAGS
from xnai_validate.model.results.status import Status

ALIKE = 3
"""From this number on, checks of one target that got the same answer are taken for one cause."""
SAME = 2
"""From this number on, checks whose failures are the same in every word, or break one promise in one way, are."""
_EMPTY = ("", "{}", "[]", "null")
"""Documents that have no part."""
DETAIL_LENGTH = 20
"""A detail of a failure that is at least this long is recognized in the reasons of other checks."""
WORD = 40
"""A text that is longer is an answer or a body, not a name: it differs between checks that failed for one reason."""
EXPECTED = " expected "
"""What stands between a fact and its rule in the words about a failed step."""
ABSENT = re.compile(r", got (0|null|\[\])($|;)")
"""How the words about a failed step end that finds no trace of what it looks for."""
RESTS_ON = {"support_ratio": "sources"}
"""Fact -> the fact without which it cannot be right: no document supports an answer that was made without one."""
MISSING = "missing_"
"""The fact `missing_sources` names what the fact `sources` lacks."""
REPEATED = "duplicates"
"""The fact that counts what came more than once; the counts by `types` include these repetitions."""
BAD = (Status.FAIL, Status.ERROR)
Key = tuple[int, Hashable]
"""How many checks with this key make one cause, and what they share."""


def causes_of(checks: Sequence[CheckResult]) -> tuple[Cause, ...]:
    """Return the causes of all failures and errors: the critical first, then those that block the most checks."""
    blocked = blocked_by_root(checks)
    order = {check.id: index for index, check in enumerate(checks)}
    failed = [check for check in checks if check.status is Status.FAIL]
    errors = [check for check in checks if check.status is Status.ERROR]
    follow = {error.id: failure.id for error in errors if (failure := _failure_behind(error, failed)) is not None}
    groups = grouped([check for check in (*failed, *errors) if check.id not in follow])
    for group in groups:
        group.sort(key=lambda check: _rank(check, blocked, order))
    _add_warnings(groups, [check for check in checks if check.status is Status.WARN])
    critical = {check.id for check in checks if not CRITICAL_TAGS.isdisjoint(check.tags)}
    causes = [_cause(group, blocked, follow) for group in groups]
    return tuple(sorted(causes, key=lambda cause: (cause.id not in critical, *_severity(cause), order[cause.id])))


def _cause(group: Sequence[CheckResult], blocked: dict[str, list[str]], follow: dict[str, str]) -> Cause:
    """Return the cause that a group of checks has in common; the first check stands for it."""
    ids = [check.id for check in group]
    followers = [error for error, failure in follow.items() if failure in ids]
    blocks = [each for check_id in (*ids, *followers) for each in blocked.get(check_id, ())]
    first = group[0]
    return Cause(
        id=first.id,
        title=first.title,
        status=first.status,
        target=first.target,
        reason=first.reason,
        alike=tuple(ids[1:]),
        blocks=(*followers, *blocks),
    )


def _add_warnings(groups: Sequence[list[CheckResult]], warnings: Sequence[CheckResult]) -> None:
    """Add each warning to the first group that failed for the same reason, where one did."""
    group_of: dict[Key, list[CheckResult]] = {}
    for group in groups:
        for check in group:
            for key in _keys(check):
                group_of.setdefault(key, group)
    for warning in warnings:
        keys = [*_keys(warning, "warn"), *_warned_parts(warning)]
        group_behind = next((group_of[key] for key in keys if key in group_of), None)
        if group_behind is not None:
            group_behind.append(warning)


def _warned_parts(warning: CheckResult) -> Iterator[Key]:
    """Yield the keys of the empty parts of an answer from which the facts that a check warns about are computed."""
    for finding in broken_findings(warning.findings, "warn"):
        part = RESTS_ON.get(finding.fact)
        if part is not None and warning.facts.get(part) == []:
            yield SAME, ("empty", warning.target, part)


def _severity(cause: Cause) -> tuple[int, bool, int]:
    """Return the sort key of causes: first those that block most checks, then failures before errors, then by size."""
    return -len(cause.blocks), cause.status is Status.ERROR, -len(cause.alike)


def _rank(check: CheckResult, blocked: dict[str, list[str]], order: dict[str, int]) -> tuple[bool, int, bool, int]:
    """Return the sort key for the check that represents a group: critical, blocks most, not through the gateway."""
    return (
        CRITICAL_TAGS.isdisjoint(check.tags),
        -len(blocked.get(check.id, ())),
        check.target == "gateway",
        order[check.id],
    )


def blocked_by_root(checks: Sequence[CheckResult]) -> dict[str, list[str]]:
    """Return the id of each root cause with the ids of the checks that were skipped because of it."""
    blocked: dict[str, list[str]] = {}
    for check in checks:
        if check.status is Status.SKIP and check.blocked_by is not None:
            blocked.setdefault(check.blocked_by, []).append(check.id)
    return blocked


def grouped(checks: Sequence[CheckResult]) -> list[list[CheckResult]]:
    """Return the checks in groups that failed for one reason, in the order of their first checks."""
    members: dict[Key, list[int]] = {}
    for index, check in enumerate(checks):
        for key in _keys(check):
            members.setdefault(key, []).append(index)
    for index, check in enumerate(checks):
        if (absent := _unmoved_key(check)) in members:
            members[absent].append(index)
    group_of = list(range(len(checks)))
    for (threshold, _), indexes in members.items():
        if len(indexes) >= threshold:
            merged = {group_of[index] for index in indexes}
            group_of = [min(merged) if group in merged else group for group in group_of]
    groups: dict[int, list[CheckResult]] = {}
    for index, group in enumerate(group_of):
        groups.setdefault(group, []).append(checks[index])
    return list(groups.values())


def _keys(check: CheckResult, level: Level = "expect") -> Iterator[Key]:
    """Return the keys by which checks with the same reason are grouped; `warn` for those of warnings.

    That is: the same words of an error, on whatever target; on one target, the same error instead of an answer, an
    answer with the same status of 500 or more, or the same part missing in a document, or on any target in a document
    that is the same in every word and comes from a path with the same end; an answer of 500 or more that the API gives
    and the gateway passes on, or that requests for one path get in the same words; messages that come more than once,
    counted as repetitions or by their types; one promise that is broken in the same facts, alike as
    far as these are not measured numbers, long texts, lists or objects; one promise of which the target breaks a limit,
    whatever is measured (a blocked event loop shows in many times), or that it breaks under the same fault; the same
    value of several parts, of one kind of check; one part of the answers that is empty, or lacks what must be in it
    because it is empty; one step of flows that breaks one promise by the same fact, or that finds no trace of what is
    promised. Other failed steps may have any reason.
    """
    if check.status is Status.ERROR and check.reason:
        yield SAME, ("reason", check.reason)
    broken = broken_findings(check.findings, level)
    if check.status is not (Status.FAIL if level == "expect" else Status.WARN) or not broken:
        return
    if check.promise is not None:
        for fault in check.faults:
            yield SAME, ("fault", check.promise.id, check.target, fault)
    if (response := _same_response(check, broken)) is not None:
        yield SAME, response
    if any(_is_repeated(finding, check.facts) for finding in broken):
        yield SAME, ("repeated", check.kind, check.target)
    first = broken[0]
    words = (first.fact, first.rule, _canonical_json(first.expected), _canonical_json(first.actual))
    for finding in broken:
        if finding.fact == "error" and isinstance(finding.actual, str):
            yield ALIKE, ("error", check.target, finding.actual)
            return
        if finding.fact == "status" and isinstance(finding.actual, int) and finding.actual >= 500:
            yield ALIKE, ("status", check.target, finding.actual)
            if check.target in ("api", "gateway"):
                yield SAME, ("status passed on", finding.actual)
            return
    if first.actual is None and first.expected is not None and " $" in first.fact:
        yield ALIKE, ("missing", check.target, first.fact)
    if first.actual is None and " $" in first.fact and (document := _last_document(check)) is not None:
        yield SAME, ("missing in", first.fact, *document)
    if check.promise is not None:
        if not any(finding.fact == "failed_steps" for finding in broken):
            facts = frozenset((finding.fact, *_same_value(finding.actual)) for finding in broken)
            yield SAME, ("promise", check.promise.id, check.target, facts)
        if first.actual is not None:
            yield SAME, ("promise", check.promise.id, *words)
        for finding in broken:
            if finding.fact == "failed_steps" and isinstance(finding.actual, list) and finding.actual:
                step = str(finding.actual[0])
                yield SAME, ("step", check.promise.id, check.target, step.partition(EXPECTED)[0])
                if ABSENT.search(step):
                    yield _absence_key(check)
        if any(_is_beyond_limit(finding) for finding in broken):
            yield SAME, ("limit", check.promise.id, check.target)
    for part in _empty_parts(check, broken):
        yield SAME, ("empty", check.target, part)
    if isinstance(first.actual, list | dict) and first.actual:
        yield SAME, ("value", check.kind, check.target, *words)


def _same_response(check: CheckResult, broken: Sequence[Finding]) -> Hashable | None:
    """The response of 500 or more for which a check fails; None if it fails for another reason."""
    return _response(check) if any(finding.fact in ("status", "failed_steps") for finding in broken) else None


def _response(check: CheckResult) -> Hashable | None:
    """The last request, without the address, and its response of 500 or more; None if it got another or none."""
    exchange = next((each for each in reversed(check.exchanges) if each.protocol == "http"), None)
    if exchange is None or not (exchange.response or "").startswith("5"):
        return None
    method, _, url = exchange.request.partition(" ")
    return "response", method, _without_origin(url), exchange.response, exchange.response_body


def _last_document(check: CheckResult) -> tuple[str, str] | None:
    """The last segment of the path and the body of the last response; None without one.

    Prefixes are left out, since a gateway has its own. An empty document, as many services give, is evidence of one
    answer only where the gateway can have brought that of the API.
    """
    exchange = next((each for each in reversed(check.exchanges) if each.protocol == "http"), None)
    if exchange is None or exchange.response_body is None:
        return None
    if exchange.response_body.strip() in _EMPTY and check.target not in ("api", "gateway"):
        return None
    path = _without_origin(exchange.request.partition(" ")[2]).partition("?")[0]
    return path.rpartition("/")[2], exchange.response_body


def _without_origin(url: str) -> str:
    """Return the path and the query of a url; one that is malformed, as a report from elsewhere may have, as it is."""
    try:
        return urlsplit(url)._replace(scheme="", netloc="").geturl()
    except ValueError:
        return url


def _absence_key(check: CheckResult) -> Key:
    """Return the key of checks that find no trace of what is promised."""
    return SAME, ("absent", check.promise.id if check.promise else None, check.target)


def _unmoved_key(check: CheckResult) -> Key | None:
    """Return the same key for a count that has not moved: where a search finds nothing, nothing is counted either.

    Counts alone are not evidence of that, for each may be counted in another place.
    """
    if check.status is not Status.FAIL or check.promise is None:
        return None
    still = (finding for finding in check.findings if finding.fact.startswith("moved.") and finding.actual == 0)
    return _absence_key(check) if any(not finding.held for finding in still) else None


def _is_beyond_limit(finding: Finding) -> bool:
    """Whether a finding is a number beyond its minimum or maximum."""
    return finding.rule in ("min", "max") and isinstance(finding.actual, int | float)


def _is_repeated(finding: Finding, facts: JsonObject) -> bool:
    """Whether messages that came twice are the reason: a rule about repetitions, or about counts, is broken."""
    if finding.fact == REPEATED:
        return True
    actual, limit = finding.actual, finding.expected
    is_too_much = isinstance(actual, int) and isinstance(limit, int | float) and actual > limit
    return bool(facts.get(REPEATED)) and finding.fact.startswith("types.") and is_too_much


def _empty_parts(check: CheckResult, broken: Sequence[Finding]) -> Iterator[str]:
    """Yield the names of empty parts of an answer for which a rule is broken: about the part, or what it lacks."""
    for finding in broken:
        part = finding.fact.rpartition("$.")[2]
        if finding.actual == [] or (finding.rule == "length min" and finding.actual == 0):
            yield part
        elif part.startswith(MISSING) and check.facts.get(part.removeprefix(MISSING)) == []:
            yield part.removeprefix(MISSING)


def _failure_behind(error: CheckResult, failed: Sequence[CheckResult]) -> CheckResult | None:
    """Return the failed check that explains why another could not be measured; None if none does.

    It does if its detail is quoted in the reason of the other check, or if both got the same response of 500 or more to
    the same request.
    """
    reason = error.reason or ""
    response = _response(error) if " status expected " in reason else None
    for check in failed:
        if any(len(detail) >= DETAIL_LENGTH and detail in reason for detail in _details(check)):
            return check
        if response is not None and response == _response(check):
            return check
    return None


def _details(check: CheckResult) -> Iterator[str]:
    """Return what identifies a failure: its details, the names it missed, and the first rule it breaks."""
    for finding in broken_findings(check.findings, "expect")[:1]:
        operator = "" if finding.rule == "equals" else f"{finding.rule} "
        expected, actual = _canonical_json(finding.expected), _canonical_json(finding.actual)
        yield f"{check.kind} {check.target}: {finding.fact}{EXPECTED}{operator}{expected}, got {actual}"
    for name, value in check.facts.items():
        if name.endswith("_detail") and name != "error_detail" and isinstance(value, str):
            yield value
        elif name.startswith("missing") and isinstance(value, list):
            yield from (item for item in value if isinstance(item, str))


def broken_findings(findings: Sequence[Finding], level: Level) -> list[Finding]:
    """Return the findings of a level that do not hold, without those that only repeat another one.

    Without an answer no fact could be measured, so a finding about `error` stands alone. A fact that is missing is
    listed once, however many rules it has.
    """
    broken = [finding for finding in findings if not finding.held and finding.level == level]
    missing: set[str] = set()
    kept = []
    for finding in [finding for finding in broken if finding.fact == "error"] or broken:
        if finding.actual is None:
            if finding.fact in missing:
                continue
            missing.add(finding.fact)
        kept.append(finding)
    return kept


def _same_value(value: object) -> tuple[Hashable, ...]:
    """Return what must be equal of the values of one fact in checks that failed for one reason."""
    varies = isinstance(value, float | list | dict) or (isinstance(value, str) and len(value) > WORD)
    return () if varies else (_canonical_json(value),)


def _canonical_json(value: object) -> str:
    """Return a value as JSON with sorted keys, so that equal values are equal texts."""
    return json.dumps(value, sort_keys=True, default=str)
