"""Defects of the application."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

API: tuple[Defect, ...] = ()
