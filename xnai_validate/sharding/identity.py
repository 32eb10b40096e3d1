"""Digests that every job of a matrix must have in common: of the plan, and of which check counts in which shard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from xnai_validate.model.json import JsonValue, to_json
from xnai_validate.model.secrets.masking import Masker
from xnai_validate.plan import Plan, PlannedCheck

DIGEST_LENGTH = 16
"""Hexadecimal digits of a digest."""
SHORTEST = 6
"""Characters of the shortest text of a stack file that is left out: shorter ones are common words."""
OF_THE_STACK = "<stack>"
"""What stands for a text that each stack has for itself, such as a folder or a token."""


def digests_by_suite(plan: Plan, stack: JsonValue) -> dict[str, str]:
    """Return suite -> digest of its checks. It is the same on two stacks that are described alike.

    Left out are urls, secrets, `run.nonce`, the texts of the stack file, where a check is written, and whether the
    last day of a waiver is over: the jobs of a matrix may differ in them.
    """
    masker = Masker(plan.secrets)
    own = [text for text in _list_texts([stack, _find_nonce(plan)]) if len(text) >= SHORTEST]
    # Within JSON text, so as JSON writes them; the longest first, since one may begin with another.
    forms = sorted({to_json(text).decode()[1:-1] for text in own}, key=lambda form: (-len(form), form))
    pattern = re.compile("|".join(map(re.escape, forms))) if forms else None
    hashes = {_name_suite(check): sha256() for check in plan.checks}
    for check in plan.checks:
        text = masker.text(_describe_check(check))
        text = text if pattern is None else pattern.sub(OF_THE_STACK, text)
        hashes[_name_suite(check)].update(text.encode(errors="backslashreplace"))
    return {name: made.hexdigest()[:DIGEST_LENGTH] for name, made in hashes.items()}


def digest_of_split(shares: Sequence[frozenset[str]]) -> str:
    """Return the digest of a split: two shards with the same one were divided in the same way."""
    return sha256(to_json([sorted(share) for share in shares])).hexdigest()[:DIGEST_LENGTH]


def _name_suite(check: PlannedCheck) -> str:
    """Return `<category>/<suite>` of a check."""
    return check.id.partition(":")[0]


def _describe_check(check: PlannedCheck) -> str:
    """Return everything that the result of a check depends on, as JSON; of a skip no reason: it names the stack."""
    info, waiver = check.info, check.info.waiver
    accepted = None if waiver is None else (waiver.check, waiver.reason, waiver.until, waiver.owner)
    described = replace(info, source=replace(info.source, file="", line=0), waiver=None)
    *parts, _ = json.loads(replace(check, info=replace(info, waiver=None)).definition)
    return to_json([parts, described, accepted, check.skip is not None]).decode()


def _find_nonce(plan: Plan) -> JsonValue:
    """Return the var `run.nonce`; None for a plan that was not compiled from files."""
    run = plan.vars.get("run")
    return run.get("nonce") if isinstance(run, dict) else None


def _list_texts(value: JsonValue) -> Iterator[str]:
    """Yield every text of a JSON document; names of members are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _list_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _list_texts(item)
