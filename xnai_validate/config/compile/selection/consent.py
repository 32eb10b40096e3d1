"""Which checks may disturb the stack: those that the command line or a profile allows."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xnai_validate.plan import PlannedFault, PlannedTarget


@dataclass(frozen=True, slots=True)
class Consent:
    """The consents of the command line and the profiles."""

    allow: frozenset[str]
    remote: bool
    """Whether targets may be disturbed that are neither on this host nor in a private network."""
    targets: Mapping[str, PlannedTarget]

    def refused(self, disruptive: bool, faults: Iterable[PlannedFault]) -> str | None:
        """Why a check must not run, in one sentence; None if it may."""
        if disruptive and "disruptive" not in self.allow:
            return "disruptive checks are not allowed here; allow them with --allow disruptive"
        if self.remote:
            return None
        for fault in faults:
            planned = self.targets.get(fault.target) if fault.target else None
            host = planned.target.host if planned else ""
            if host and not is_near(host):
                return (
                    f"{fault.fault.name} would disturb {fault.target} at {host}, which is neither loopback nor a "
                    "private address; allow it with --allow-remote"
                )
        return None


def is_near(host: str) -> bool:
    """Whether the host of a url is this machine or an address of a private network (RFC 1918, RFC 4193, RFC 3927).

    A name other than localhost may be anywhere; it is not resolved here.
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    private = map(ipaddress.ip_network, PRIVATE_4 if address.version == 4 else PRIVATE_6)
    return address.is_loopback or address.is_link_local or any(address in network for network in private)


PRIVATE_4 = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
PRIVATE_6 = ("fc00::/7",)
