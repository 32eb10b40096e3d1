"""The catalogue of defects: ways in which such a stack is really broken, for the embedded stack to have on demand."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from xnai_validate.demo.defects.api import API
from xnai_validate.demo.defects.breakers import BREAKERS
from xnai_validate.demo.defects.entry import Defect
from xnai_validate.demo.defects.failing import FAILING
from xnai_validate.demo.defects.gateway import GATEWAY
from xnai_validate.demo.defects.machine import MACHINE
from xnai_validate.demo.defects.monitoring import MONITORING
from xnai_validate.demo.defects.performance import PERFORMANCE
from xnai_validate.demo.defects.process import PROCESS
from xnai_validate.demo.defects.rag import RAG
from xnai_validate.demo.defects.redis import REDIS
from xnai_validate.demo.defects.services import SERVICES
from xnai_validate.demo.defects.streaming import STREAMING
from xnai_validate.demo.defects.worker import WORKER
from xnai_validate.demo.settings import Layout

__all__ = ["CATALOGUE", "Defect", "UnknownDefect", "chosen", "merged"]


class UnknownDefect(ValueError):
    """A defect was asked for that does not exist, or not in this layout."""


def merged(*groups: Iterable[Defect]) -> dict[str, Defect]:
    """The groups as one mapping by name; a name that two entries claim is refused with ValueError."""
    catalogue: dict[str, Defect] = {}
    for group in groups:
        for defect in group:
            if defect.name in catalogue:
                raise ValueError(f"two defects are named {defect.name}")
            catalogue[defect.name] = defect
    return catalogue


CATALOGUE: dict[str, Defect] = merged(
    API, FAILING, MONITORING, BREAKERS, STREAMING, RAG, PERFORMANCE, GATEWAY, REDIS, SERVICES, WORKER, PROCESS, MACHINE
)
"""Defect name -> defect."""


def chosen(names: Iterable[str], layout: Layout) -> frozenset[str]:
    """Return the names as a set, or raise UnknownDefect with the nearest name or the layout that has the defect."""
    wanted = frozenset(names)
    for name in sorted(wanted):
        if name not in CATALOGUE:
            near = difflib.get_close_matches(name, CATALOGUE, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {len(CATALOGUE)}, none is similar"
            raise UnknownDefect(f"unknown defect {name}{hint}")
        if CATALOGUE[name].layout not in (None, layout):
            raise UnknownDefect(f"defect {name} exists only in layout {CATALOGUE[name].layout}")
    return wanted
