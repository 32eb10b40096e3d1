"""The identity of a plan: what a later process must have planned alike to finish its run."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from xnai_validate.model.json import to_json
from xnai_validate.model.results.plan_identity import PlanIdentity
from xnai_validate.model.secrets.masking import Masker
from xnai_validate.plan import Plan

DIGEST_LENGTH = 16
"""Hexadecimal digits of a digest."""


def identity_of(plan: Plan) -> PlanIdentity:
    """Return the identity of a plan."""
    masker = Masker(plan.secrets)  # its own: what it learns from params must not change how events are masked
    hashes = {check.info.source.file: sha256() for check in plan.checks}
    for check in plan.checks:
        hashes[check.info.source.file].update(masker.text(check.definition).encode(errors="backslashreplace"))
    urls = {name: planned.target.url for name, planned in plan.targets.items()}
    return PlanIdentity(
        files={name: made.hexdigest()[:DIGEST_LENGTH] for name, made in hashes.items()},
        vars={name: _digest(to_json(masker.json(value)).decode()) for name, value in plan.vars.items()},
        targets={name: None if url is None else masker.text(url) for name, url in urls.items()},
        criteria=_digest(to_json(plan.criteria).decode()),
        nonce=_nonce(plan),
        skips=dict(Counter(masker.text(check.skip) for check in plan.checks if check.skip is not None)),
    )


def _nonce(plan: Plan) -> str | None:
    """Return the var `run.nonce`; None for a plan that was not compiled from files."""
    run = plan.vars.get("run")
    nonce = run.get("nonce") if isinstance(run, dict) else None
    return nonce if isinstance(nonce, str) else None


def _digest(text: str) -> str:
    """Return the first digits of the SHA-256 of a text."""
    return sha256(text.encode(errors="backslashreplace")).hexdigest()[:DIGEST_LENGTH]
