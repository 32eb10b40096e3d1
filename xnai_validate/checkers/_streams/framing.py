"""How the frames of an event stream are read: as a browser does, or leniently."""

from __future__ import annotations

from xnai_validate.kit import Params
from xnai_validate.wire.sse.literal_line_ends import LenientSseParser
from xnai_validate.wire.sse.parser import SseParser


class FramingParams(Params):
    """Which frames are read."""

    lenient: bool = False
    """Also read frames that end in the characters backslash and n, as if these were line feeds.

    No browser does. It lets a check judge what a stream holds where another check judges its framing: `framing_faults`
    then leaves out `literal_newline`.
    """

    def parser(self) -> SseParser:
        """Return a parser for one stream."""
        return LenientSseParser() if self.lenient else SseParser()
