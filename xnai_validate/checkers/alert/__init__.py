"""Alerts: whether what people must be told reaches them, once and in time."""

from xnai_validate.checkers.alert.receipt import receipt

__all__ = ["receipt"]
