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
    "Redis.",
    ErrorKind.PROTOCOL: "Something else answers there: correct the port, and whether the url begins with http or "
    "https.",
}
"""What helps in general: the author of a check wrote its fix for a service that is reached."""


def fix_for(
    fix: str | None, fixes: Mapping[str, str], findings: Iterable[Finding], facts: Mapping[str, object]
) -> str | None:
    """Return what to do about the broken rules of a check.

    After an error: the author's advice for its kind, the general hint for its kind, the author's advice for `error`.
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
    error = facts.get("error")
    if "error" in broken and error is not None:
        # The other rules fail because there was no answer: they are ignored.
        kind = str(error)
        hint = fixes.get(kind) or HINTS.get(kind) or fixes.get("error")
        return hint or fixes.get(OTHERWISE, fix)
    for fact in (*broken, *(fact.partition(".")[0] for fact in broken)):
        if fact in fixes:
            return fixes[fact]
    return fixes.get(OTHERWISE, fix)
