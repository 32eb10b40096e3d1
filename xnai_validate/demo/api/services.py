"""What the application consists of, made once and given to every endpoint."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from xnai_validate.demo.api.answers.corpus import Document, documents
from xnai_validate.demo.api.answers.index import VectorIndex
from xnai_validate.demo.api.answers.model import ModelClient
from xnai_validate.demo.api.answers.retrieval import Retrieval
from xnai_validate.demo.api.breakers.breakers import Breakers
from xnai_validate.demo.api.monitoring import degradation
from xnai_validate.demo.api.monitoring.audit import Audit
from xnai_validate.demo.api.monitoring.degradation import Tier
from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.api.rooms.rooms import Rooms
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.llm.embedding import Vector, embed
from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import MODEL, Settings

VERSION = "v0.1.0-alpha"


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one application."""

    settings: Settings
    metrics: Metrics
    store: Store
    http: httpx.AsyncClient
    """For requests to other parts of the stack."""
    breakers: Breakers
    index: VectorIndex
    model: ModelClient
    retrieval: Retrieval
    audit: Audit
    rooms: Rooms

    def tier(self) -> Tier:
        """How much the application does at this moment."""
        return degradation.tier(degradation.memory_percent(self.settings))

    async def close(self) -> None:
        """Close all connections to other parts of the stack."""
        await self.http.aclose()
        await self.store.close()


def assemble(settings: Settings) -> Services:
    """Make the parts of an application; none is connected yet."""
    metrics = Metrics(settings, MODEL, VERSION)
    store = Store(settings)
    breakers = Breakers(settings, store, metrics)
    index = VectorIndex(indexed_documents(), question_vector)
    http = http_client()
    return Services(
        settings=settings,
        metrics=metrics,
        store=store,
        http=http,
        breakers=breakers,
        index=index,
        model=ModelClient(settings, http),
        retrieval=Retrieval(index, store, breakers, metrics),
        audit=Audit(settings, store, metrics),
        rooms=Rooms(settings, store),
    )


def http_client() -> httpx.AsyncClient:
    """A client for loopback: a connection for each request, closed with it, so that the other side sees who leaves."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    return httpx.AsyncClient(limits=limits, timeout=5.0, trust_env=False, verify=False)


@seam
def indexed_documents() -> list[Document]:
    """The documents that questions are answered from."""
    return documents()


@seam
def question_vector(text: str) -> Vector:
    """The vector of a question, to be compared with those of the passages."""
    return embed(text)
