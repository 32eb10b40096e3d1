"""A voice service: whether it really speaks, and really hears what was spoken."""

from xnai_validate.checkers.voice.roundtrip import measure_roundtrip

__all__ = ["measure_roundtrip"]
