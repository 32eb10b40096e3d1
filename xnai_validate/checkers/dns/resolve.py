"""Checks of name resolution: by the machine's resolver, or by asking one name server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    ErrorKind,
    Facts,
    Field,
    Ge,
    Le,
    Milliseconds,
    Needs,
    NotApplicable,
    Params,
    Seconds,
    Unmeasurable,
    checker,
)
from xnai_validate.wire.failure import WireError, wire_error
from xnai_validate.wire.net.resolve import literal, resolve

if TYPE_CHECKING:
    from dns.message import Message

ANSWERS_CAP = 100


class Resolve(Params):
    """The name, who is asked, and how often."""

    name: str | None = None
    """The name; by default the host of the target's url."""
    repeat: Annotated[int, Ge(1), Le(100)] = 1
    """How often the name is looked up, one after the other; see `stable`."""
    timeout: Duration = 5.0
    """How long each look-up may take."""
    server: str | None = None
    """A name server to ask instead of the machine's resolver: `127.0.0.11`, `127.0.0.1:8600`, `[::1]:53`."""
    type_: str = Field(default="A", alias="type")
    """The type of record that the name server is asked for: A, AAAA, CNAME, SRV, TXT ..."""


class Resolved(Facts):
    """What the name stands for."""

    error: ErrorKind | None
    """Why there is no answer; `dns` where the name does not exist."""
    error_detail: str | None
    """The error in words."""
    name: str
    """The name that was looked up."""
    literal: bool
    """Whether the name is an IP address already, so that nothing was looked up."""
    addresses: list[str] | None
    """The addresses, in the order given; of the last look-up."""
    families: list[str] | None
    """`ipv4`, `ipv6`: which of the two the addresses are."""
    resolve_ms: Milliseconds | None
    """How long the slowest look-up took."""
    stable: Annotated[bool | None, Needs("repeat", more_than=1)]
    """Whether every look-up gave the same set; null where there was only one."""
    records: Annotated[list[str] | None, Needs("server")]
    """The records of the wanted type as text; null where the machine's resolver was asked."""
    ttl_s: Annotated[Seconds | None, Needs("server")]
    """How long the answer may be kept: the smallest time to live; null without records."""
    rcode: Annotated[str | None, Needs("server")]
    """The response code of the name server (RFC 6895): NOERROR, NXDOMAIN, SERVFAIL ..."""
    lookups: Count
    """How many look-ups were answered."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """The answer to one look-up; all but the addresses is None if the machine's resolver gave it."""

    addresses: tuple[str, ...]
    records: tuple[str, ...] | None = None
    ttl_s: float | None = None
    rcode: str | None = None


@checker("dns.resolve", expect={"error": None}, target=False, from_workers=True)
async def resolve_name(params: Resolve, ctx: Context) -> Resolved:
    """Look a name up, once or several times.

    Without `server` the machine's own resolver answers (getaddrinfo: hosts file, search domains, caches), as it answers
    every program. With `server`, one DNS query (RFC 1035; over UDP, then TCP where the answer is cut) is sent to that
    server; this needs the extra `dns`. An answer without records is NOERROR with no `records`, and no error.

        kind: dns.resolve
        target: redis
        with: {repeat: 5}
        expect: {stable: true, addresses: {length: {min: 1}}}
        warn: {resolve_ms: {max: 50}}
    """
    name = params.name or ctx.target.host
    if not name:
        raise NotApplicable(f"target {ctx.target.name} has no host to look up")
    if params.server is None and literal(name, 0) is not None:
        return _facts_of(name, [_Answer((name,))], 0.0, is_literal=True)
    answers: list[_Answer] = []
    slowest_ms = 0.0
    for _ in range(params.repeat):
        started = perf_counter()
        try:
            async with asyncio.timeout(params.timeout):
                answers.append(await _look_up(name, params))
        except TimeoutError:
            late = WireError(ErrorKind.TIMEOUT, f"{name} was not resolved within {params.timeout:g} s")
            return _facts_of(name, answers, None, failure=late)
        except WireError as failure:
            return _facts_of(name, answers, None, failure=failure)
        slowest_ms = max(slowest_ms, (perf_counter() - started) * 1000)
    last = answers[-1]
    if last.rcode not in (None, "NOERROR"):
        refusal = WireError(ErrorKind.DNS, f"name server {params.server} answers {last.rcode} for {name}")
        return _facts_of(name, answers, slowest_ms, failure=refusal)
    return _facts_of(name, answers, slowest_ms)


async def _look_up(name: str, params: Resolve) -> _Answer:
    """Resolve a name by the named server, or by the resolver of this machine."""
    if params.server is not None:
        return await _ask(name, params.server, params.type_)
    return _Answer(tuple(dict.fromkeys(address.ip for address in await resolve(name, 0))))


async def _ask(name: str, server: str, record_type: str) -> _Answer:
    """One query to one server; dnspython's own exceptions become WireError here."""
    if find_spec("dns") is None:
        raise Unmeasurable("asking a name server needs another library", hint="pip install 'xnai-validate[dns]'")
    import dns.asyncquery
    import dns.exception
    import dns.message

    host, port = _server(server)
    try:
        query = dns.message.make_query(name, record_type.upper())
    except (dns.exception.DNSException, ValueError) as error:
        raise Unmeasurable(f"cannot ask for {name} {record_type}: {error}", hint="see `name` and `type`") from error
    try:
        message, _ = await dns.asyncquery.udp_with_fallback(query, host, port=port, ignore_unexpected=True)
    except dns.exception.Timeout as error:
        raise WireError(ErrorKind.TIMEOUT, f"no answer from name server {server}") from error
    except (dns.exception.DNSException, EOFError) as error:
        raise WireError(ErrorKind.PROTOCOL, f"name server {server}: {error or type(error).__name__}") from error
    except OSError as error:
        raise wire_error(error, f"asking name server {server}") from error
    return _read_answer(message, record_type.upper())


def _read_answer(message: Message, record_type: str) -> _Answer:
    """Read the records, the time to live and the code of a response."""
    import dns.rcode
    import dns.rdatatype

    record_code = dns.rdatatype.from_text(record_type)
    sets = [rrset for rrset in message.answer if rrset.rdtype == record_code]
    records = tuple(str(record) for rrset in sets for record in rrset)[:ANSWERS_CAP]
    addresses = records if record_type in ("A", "AAAA") else ()
    ttl_s = float(min(rrset.ttl for rrset in message.answer)) if sets else None
    return _Answer(addresses, records, ttl_s, dns.rcode.to_text(message.rcode()))


def _server(server: str) -> tuple[str, int]:
    """Host and port of a name server, which must be an address: `::1`, `[::1]:5353`, `127.0.0.1:5353`."""
    host, port = server, "53"
    if server.startswith("["):
        host, _, rest = server[1:].partition("]")
        port = rest.removeprefix(":") or port
    elif server.count(":") == 1:
        host, _, port = server.partition(":")
    if literal(host, 0) is None or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise Unmeasurable(f"{server!r} is not the address of a name server", hint="write 127.0.0.1 or 127.0.0.1:5353")
    return host, int(port)


def _facts_of(
    name: str,
    answers: Sequence[_Answer],
    resolve_ms: float | None,
    *,
    failure: WireError | None = None,
    is_literal: bool = False,
) -> Resolved:
    """Return the facts of all answers to the same question, or of the failure; `is_literal`: an address was given."""
    last = answers[-1] if answers else None
    addresses = list(last.addresses[:ANSWERS_CAP]) if last and not failure else None
    families = {"ipv6" if ":" in address else "ipv4" for address in addresses or ()}
    sets = {frozenset(answer.records if answer.records is not None else answer.addresses) for answer in answers}
    return Resolved(
        error=failure.kind if failure else None,
        error_detail=failure.detail if failure else None,
        name=name,
        literal=is_literal,
        addresses=addresses,
        families=sorted(families) if addresses is not None else None,
        resolve_ms=resolve_ms,
        stable=len(sets) == 1 if len(answers) > 1 and failure is None else None,
        records=list(last.records) if last and last.records is not None and not failure else None,
        ttl_s=last.ttl_s if last and not failure else None,
        rcode=last.rcode if last else None,
        lookups=len(answers),
    )
