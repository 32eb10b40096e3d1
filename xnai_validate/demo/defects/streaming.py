"""Defects of token streams."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

STREAMING: tuple[Defect, ...] = ()
