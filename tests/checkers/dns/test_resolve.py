"""`dns.resolve` against the machine's resolver, and against a name server that answers from a table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from tests.checkers.beside import beside
from tests.context import observe
from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.kit import Target

Answerer = Callable[[dns.message.Message], dns.message.Message | None]


class _NameServer(asyncio.DatagramProtocol):
    def __init__(self, answer: Answerer) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._answer(dns.message.from_wire(data))
        if answer is not None:
            self._transport.sendto(answer.to_wire(), addr)


@contextmanager
def name_server(answer: Answerer) -> Iterator[str]:
    """A name server on UDP; gives its `address:port`."""

    @asynccontextmanager
    async def serving() -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _NameServer(answer), local_addr=("127.0.0.1", 0))
        try:
            yield f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
        finally:
            transport.close()

    with beside(serving) as address:
        yield address


def table(*answers: tuple[str, int, str, list[str]]) -> Answerer:
    """(name, ttl, type, records) in turn, the last again and again; NXDOMAIN for other names."""
    queries = [0]

    def answer(query: dns.message.Message) -> dns.message.Message:
        name, ttl, kind, records = answers[min(queries[0], len(answers) - 1)]
        queries[0] += 1
        response = dns.message.make_response(query)
        if query.question[0].name.to_text() != f"{name}.":
            response.set_rcode(dns.rcode.NXDOMAIN)
        elif records:
            response.answer.append(dns.rrset.from_text_list(f"{name}.", ttl, "IN", kind, records))
        return response

    return answer


def test_a_name_of_the_machine_is_resolved() -> None:
    """The resolver's addresses are given once each, with their families, and several look-ups agree."""
    seen = observe("dns.resolve", Target("redis", "redis://localhost:1"), repeat=3, expect={"stable": True})
    assert seen.held
    assert "127.0.0.1" in seen.facts["addresses"]
    assert "ipv4" in seen.facts["families"]
    assert len(set(seen.facts["addresses"])) == len(seen.facts["addresses"])
    assert (seen.facts["lookups"], seen.facts["literal"], seen.facts["rcode"]) == (3, False, None)


@pytest.mark.parametrize(
    ("url", "address", "family"), [("http://127.0.0.1:1", "127.0.0.1", "ipv4"), ("http://[::1]", "::1", "ipv6")]
)
def test_an_address_stands_for_itself(url: str, address: str, family: str) -> None:
    """Nothing is looked up where the url has an address."""
    facts = observe("dns.resolve", Target("api", url)).facts
    assert (facts["literal"], facts["addresses"], facts["families"]) == (True, [address], [family])


def test_a_name_that_cannot_be_is_an_error() -> None:
    """The resolver's refusal is a fact."""
    seen = observe("dns.resolve", name="a..b")
    assert (seen.facts["error"], seen.facts["addresses"], seen.held) == ("dns", None, False)


def test_a_name_server_is_queried_for_records() -> None:
    """Records, time to live and response code come from the server that is named."""
    with name_server(table(("redis.stack", 30, "A", ["10.0.0.7", "10.0.0.8"]))) as server:
        facts = observe("dns.resolve", name="redis.stack", server=server).facts
    assert sorted(facts["records"]) == sorted(facts["addresses"]) == ["10.0.0.7", "10.0.0.8"]
    assert (facts["ttl_s"], facts["rcode"], facts["error"]) == (30.0, "NOERROR", None)


def test_other_types_of_record_are_text() -> None:
    """SRV records are given as a name server's table has them, and are not addresses."""
    with name_server(table(("_api._tcp.stack", 5, "SRV", ["0 1 8000 api.stack."]))) as server:
        facts = observe("dns.resolve", name="_api._tcp.stack", server=server, type="srv").facts
    assert (facts["records"], facts["addresses"]) == (["0 1 8000 api.stack."], [])


def test_an_unknown_name_and_an_empty_answer_are_distinguished() -> None:
    """NXDOMAIN is an error; a name without such records is an answer without any."""
    with name_server(table(("a.stack", 5, "A", []))) as server:
        unknown = observe("dns.resolve", name="b.stack", server=server).facts
        empty = observe("dns.resolve", name="a.stack", server=server).facts
    assert (unknown["error"], unknown["rcode"], unknown["records"]) == ("dns", "NXDOMAIN", None)
    assert (empty["error"], empty["rcode"], empty["records"]) == (None, "NOERROR", [])


def test_answers_that_change_are_not_stable() -> None:
    """The order of addresses does not matter, the set does."""
    turned = table(("a", 5, "A", ["10.0.0.1", "10.0.0.2"]), ("a", 5, "A", ["10.0.0.2", "10.0.0.1"]))
    moved = table(("a", 5, "A", ["10.0.0.1"]), ("a", 5, "A", ["10.0.0.2"]))
    with name_server(turned) as server:
        assert observe("dns.resolve", name="a", server=server, repeat=3).facts["stable"] is True
    with name_server(moved) as server:
        assert observe("dns.resolve", name="a", server=server, repeat=3).facts["stable"] is False


def test_a_silent_name_server_is_a_time_out() -> None:
    """The time limit is kept."""
    with name_server(lambda query: None) as server:
        assert observe("dns.resolve", name="a", server=server, timeout="0.3s").facts["error"] == "timeout"


def test_what_cannot_be_requested_is_reported() -> None:
    """A server that is not an address, a type that does not exist, a target without host."""
    with pytest.raises(Unmeasurable, match="address of a name server"):
        observe("dns.resolve", name="a", server="ns.example:53")
    with pytest.raises(Unmeasurable, match="cannot ask"):
        observe("dns.resolve", name="a", server="127.0.0.1", type="NONSENSE")
    with pytest.raises(NotApplicable):
        observe("dns.resolve", Target("worker", pid=1))
