"""Networks of their own on one host: namespaces of Linux, joined by a bridge (ip-netns(8), veth(4))."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

HERE = "198.18.77.1"
"""The address of this host in the network of the bridge, from the range for benchmarks (RFC 2544)."""


def ip(*arguments: str) -> None:
    """Call `ip`, which needs root and the Debian package iproute2."""
    called = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    assert called.returncode == 0, f"ip {' '.join(arguments)}: {called.stderr.strip()}"


@dataclass(frozen=True, slots=True)
class Network:
    """A namespace with an address of its own."""

    namespace: str
    address: str
    cable: str
    """The near end of the pair of interfaces that joins it to the bridge."""

    @property
    def within(self) -> tuple[str, ...]:
        """What starts a command there."""
        return ("ip", "netns", "exec", self.namespace)

    def cut(self) -> None:
        """Pull the cable: nothing arrives in either direction, and no connection is told."""
        ip("link", "set", self.cable, "down")

    def join(self) -> None:
        """Plug it in again."""
        ip("link", "set", self.cable, "up")


@contextmanager
def networks(names: Sequence[str]) -> Iterator[dict[str, Network]]:
    """A bridge with the address HERE, and a network for each name, which reaches it and the others."""
    number = os.getpid()
    bridge = f"xb{number}"
    made: dict[str, Network] = {}
    with ExitStack() as exits:
        ip("link", "add", bridge, "type", "bridge")
        exits.callback(ip, "link", "delete", bridge)
        ip("address", "add", f"{HERE}/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for index, name in enumerate(names, 2):
            network = Network(f"xnai-{number}-{name}", f"198.18.77.{index}", f"xv{index}p{number}")
            ip("netns", "add", network.namespace)
            exits.callback(ip, "netns", "delete", network.namespace)
            there = ("-n", network.namespace)
            ip("link", "add", network.cable, "type", "veth", "peer", "name", "eth0", "netns", network.namespace)
            ip("link", "set", network.cable, "master", bridge, "up")
            ip(*there, "address", "add", f"{network.address}/24", "dev", "eth0")
            ip(*there, "link", "set", "eth0", "up")
            ip(*there, "link", "set", "lo", "up")
            made[name] = network
        yield made
