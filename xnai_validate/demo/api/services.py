"""What the application consists of, made once and given to every endpoint."""

from __future__ import annotations

from dataclasses import dataclass

from xnai_validate.demo.api.answers.corpus import documents
from xnai_validate.demo.api.answers.index import VectorIndex
from xnai_validate.demo.api.answers.model import ModelClient
from xnai_validate.demo.api.answers.retrieval import Retrieval
from xnai_validate.demo.api.breakers.breakers import Breakers
from xnai_validate.demo.api.entangled import Line
from xnai_validate.demo.api.monitoring import degradation
from xnai_validate.demo.api.monitoring.audit import Audit
from xnai_validate.demo.api.monitoring.degradation import Tier
from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.api.rooms.rooms import Rooms
from xnai_validate.demo.api.store import Store
from xnai_validate.demo.llm.app import MODEL
from xnai_validate.demo.llm.embedding import DIMENSIONS, embed
from xnai_validate.demo.settings import Settings

VERSION = "0.1.6"


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one application."""

    settings: Settings
    metrics: Metrics
    store: Store
    breakers: Breakers
    index: VectorIndex
    model: ModelClient
    retrieval: Retrieval
    audit: Audit
    rooms: Rooms
    line: Line
    """For the defects that lose it."""

    def tier(self) -> Tier:
        """How much the application does at this moment."""
        return degradation.tier(degradation.memory_percent(self.settings))


def assemble(settings: Settings) -> Services:
    """Make the parts of an application; nothing is connected yet."""
    metrics = Metrics(settings, MODEL, VERSION)
    store = Store(settings)
    breakers = Breakers(settings, store, metrics)
    index = _index(settings)
    return Services(
        settings=settings,
        metrics=metrics,
        store=store,
        breakers=breakers,
        index=index,
        model=ModelClient(settings),
        retrieval=Retrieval(index, store, breakers, metrics),
        audit=Audit(settings, store, metrics),
        rooms=Rooms(settings, store),
        line=Line(settings),
    )


def _index(settings: Settings) -> VectorIndex:
    """The index of the bundled documents."""
    empty = settings.broken("vectorstore-empty") or settings.broken("health-vectorstore-lie")
    length = 2 * DIMENSIONS if settings.broken("embedding-dimension") else DIMENSIONS
    return VectorIndex([] if empty else documents(), lambda text: embed(text, length))
