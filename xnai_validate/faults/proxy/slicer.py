"""`proxy.slicer`: a connection that delivers small pieces."""

from __future__ import annotations

from typing import Annotated, Self

from xnai_validate.faults._proxy.front import ProxyFault, ProxyUndo, StreamParams, check_proxy, tcp_settings, traffic
from xnai_validate.kit import Duration, FaultContext, Gt, JsonValue, Size, fault, model_validator


class SlicerParams(StreamParams):
    """The size of the pieces."""

    average_size: Annotated[Size, Gt(0)]
    """Bytes of a piece, on average."""
    size_variation: Size = 0
    """How many bytes the size varies either way, uniformly for each piece."""
    delay: Duration = 0.01
    """The pause after each piece; without one the kernel may join them again."""

    @model_validator(mode="after")
    def _verify_sizes(self) -> Self:
        """Raise ValueError if a piece could be empty."""
        if self.size_variation >= self.average_size:
            raise ValueError("`size_variation` must be less than `average_size`, or a piece could be empty")
        return self


@fault("proxy.slicer", limit_s=300)
class Slicer(ProxyFault):
    """Deliver everything in small pieces.

    A piece may end within a line, an event, a character of several bytes. No data is lost. Source: toxiproxy's toxic
    `slicer`.

        under: [{fault: proxy.slicer, target: api, with: {average_size: 7, size_variation: 5}}]
    """

    def describe(self, params: SlicerParams, target: str) -> str:
        """Return what it does to the target."""
        return f"{traffic(params, target)} arrive in pieces of about {params.average_size} bytes"

    async def prepare(self, params: SlicerParams, ctx: FaultContext) -> ProxyUndo:
        """Check that a proxy can be put in front of the target."""
        return check_proxy(params, ctx)

    def proxy_settings(self, params: SlicerParams, ctx: FaultContext) -> dict[str, JsonValue]:
        """Return the settings of the proxy."""
        return tcp_settings(
            "slicer",
            params,
            ctx,
            average_size=params.average_size,
            size_variation=params.size_variation,
            delay_s=params.delay,
        )
