"""Name look-up in a thread of its own, so that a time limit does not wait for the resolver of the machine."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.wire.failure import WireError, wire_error
from xnai_validate.wire.net.names import ascii_host

LOOKUPS = 16
"""At most this many names are looked up at a time."""

_slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect: what `socket.socket` and `connect` take."""

    family: socket.AddressFamily
    sockaddr: tuple[str | int | bytes, ...]

    @property
    def ip(self) -> str:
        """The address as text, without a port."""
        return str(self.sockaddr[0])


def literal(host: str, port: int) -> Address | None:
    """The address that `host` is, where it is one already and no name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError, ValueError):
            socket.inet_pton(family, host)
            return Address(family, (host, port))
    return None


async def resolve(host: str, port: int) -> tuple[Address, ...]:
    """The addresses of a host, in the order of the machine's resolver, each once.

    `getaddrinfo` cannot be cancelled, and the threads of asyncio's executor hold up the end of the process; so each
    look-up has a daemon thread, which is left behind when the time is over. Raises WireError (dns).
    """
    address = literal(host, port)
    if address is not None:
        return (address,)
    loop = asyncio.get_running_loop()
    slots = _slots.setdefault(loop, asyncio.Semaphore(LOOKUPS))
    await slots.acquire()
    answer: asyncio.Future[tuple[Address, ...]] = loop.create_future()

    def deliver(outcome: tuple[Address, ...] | WireError) -> None:
        """Hand the addresses, or the error, to the waiting task, unless it was cancelled."""
        slots.release()
        if answer.done():  # cancelled meanwhile
            return
        if isinstance(outcome, WireError):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)

    def look_up() -> None:
        """Look the name up in this thread, and hand the outcome to the event loop."""
        outcome = _look_up_name(host, port)
        with suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(deliver, outcome)

    threading.Thread(target=look_up, name=f"look-up of {host}", daemon=True).start()
    return await answer


def _look_up_name(host: str, port: int) -> tuple[Address, ...] | WireError:
    """Return the addresses of a name, or the error as a value."""
    try:
        host = ascii_host(host)
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return wire_error(error, f"looking up {host}")
    except ValueError:  # a label that is empty, too long or has letters that no name has
        return WireError(ErrorKind.DNS, f"{host!r} is not a host name")
    return tuple(dict.fromkeys(Address(family, sockaddr) for family, _, _, _, sockaddr in addresses))
