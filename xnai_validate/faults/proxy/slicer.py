"""A line of small pieces."""

from __future__ import annotations

from typing import Annotated, Self

from xnai_validate.faults._proxy.front import Proxied, ProxyUndo, StreamParams, reachable, tcp, whom
from xnai_validate.kit import Duration, FaultContext, Gt, JsonValue, Size, fault, model_validator


class SlicerParams(StreamParams):
    """How small."""

    average_size: Annotated[Size, Gt(0)]
    """Bytes of a piece."""
    size_variation: Size = 0
    """Give or take up to so many, drawn evenly for each."""
    delay: Duration = 0.01
    """The pause after each; without one the kernel may join them again."""

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.size_variation >= self.average_size:
            raise ValueError("`size_variation` is less than `average_size`, or a piece would have no byte")
        return self


@fault("proxy.slicer", limit_s=300)
class Slicer(Proxied):
    """Let everything arrive in small pieces.

    Wherever a piece may be cut it is: within a line, an event, a character of several bytes. Nothing is lost. Source:
    toxiproxy's toxic `slicer`.

        under: [{fault: proxy.slicer, target: api, with: {average_size: 7, size_variation: 5}}]
    """

    def describe(self, params: SlicerParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{whom(params, target)} arrive in pieces of about {params.average_size} bytes"

    async def prepare(self, params: SlicerParams, ctx: FaultContext) -> ProxyUndo:
        """Whether a proxy can stand in front of the target."""
        return reachable(params, ctx)

    def told(self, params: SlicerParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """In bytes and seconds."""
        return tcp(
            "slicer",
            params,
            ctx,
            average_size=params.average_size,
            size_variation=params.size_variation,
            delay_s=params.delay,
        )
