"""What to do about a failure: the author's advice for what failed, or a general hint for the kind of error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.judging.findings import Finding

OTHERWISE = "otherwise"
"""The key of the fix for whatever the other keys do not name."""

HINTS: dict[str, str] = {
    ErrorKind.DNS: "The name is not known here: correct the host in the target's url, or run where it is known, such "
    "as in the network of the containers.",
    ErrorKind.TLS: "Correct the target's `tls`: `ca` for a private authority, `server_name` where the certificate is "
    "for another name, `cert` and `key` where the server asks for one; or renew the certificate.",
    ErrorKind.AUTH: "Give the target its credentials: `auth` with HTTP, `password_env` and a user in the url with "
    "Redis. Is the variable that it names set? `--env-file FILE` reads it.",
    ErrorKind.PROTOCOL: "Something else answers there: correct the port, and whether the url begins with http or "
    "https.",
}
"""What helps in general: the author of a check wrote its fix for a service that is reached."""

TLS_HINTS = {
    "has expired": "Renew the certificate: it has expired. Is the clock of this host right?",
    "not yet valid": "The certificate is valid from a later time on. Are the clocks of both hosts right?",
    "mismatch": "The certificate is for another name: correct the host in the target's url, or set `tls: {server_name: "
    "...}` to a name that is in the certificate.",
    "issuer certificate": "The authority of the certificate is not known here: set `tls: {ca: FILE}` of the target to "
    "its certificate.",
    "self-signed": "The certificate is signed by itself or by a private authority: set `tls: {ca: FILE}` of the target "
    "to the certificate of that authority.",
}
"""Words of OpenSSL about a certificate that does not verify -> the hint in place of that for `tls`."""


def fix_for(
    fix: str | None, fixes: Mapping[str, str], findings: Iterable[Finding], facts: Mapping[str, object]
) -> str | None:
    """Return what to do about the broken rules of a check.

    After an error: the author's advice for its kind, the general hint for its kind, the author's advice for `error`.
    After errors of a load: the advice or the hint for the kind that came most often, where there is any.
    Else the author's advice for the first broken fact, by its full name or by the part before the dot. Last what is
    advised for any failure.

    Args:
        fix: the author's advice for any failure.
        fixes: the author's advice by the kind of an error, such as `refused`, or by a fact;
            `otherwise` is for all else.
        findings: the findings of the check.
        facts: its facts.
    """
    broken = [finding.fact.partition(" ")[0] for finding in findings if not finding.held]
    if "error" in broken and facts.get("error") is not None:
        # The other rules fail because there was no answer: they are ignored.
        hint = _hint_for(str(facts["error"]), fixes, facts) or fixes.get("error")
        return hint or fixes.get(OTHERWISE, fix)
    kinds = facts.get("error_kinds")
    if isinstance(kinds, dict) and kinds and any(fact.startswith("error_") for fact in broken):
        hint = _hint_for(max(kinds, key=lambda kind: kinds[kind]), fixes, facts)
        if hint is not None:
            return hint
    for fact in (*broken, *(fact.partition(".")[0] for fact in broken)):
        if fact in fixes:
            return fixes[fact]
    return fixes.get(OTHERWISE, fix)


def _hint_for(kind: str, fixes: Mapping[str, str], facts: Mapping[str, object]) -> str | None:
    """Return the author's advice for a kind of error, else the general hint for it; None without either."""
    detail = str(facts.get("error_detail")) if kind == ErrorKind.TLS else ""
    of_certificate = next((text for words, text in TLS_HINTS.items() if words in detail), None)
    return fixes.get(kind) or of_certificate or HINTS.get(kind)
