"""Parameters and facts of `metrics.samples`."""

from __future__ import annotations

from xnai_validate.checkers._http_fields import HttpHeaders, HttpPath, verify_http_target
from xnai_validate.kit import BodyCap, Count, Duration, ErrorKind, Facts, Field, Milliseconds, Params, Target


class Scrape(Params):
    """Where the metrics are, and which must be among them."""

    path: HttpPath = "/metrics"
    """The path below the target's url; an absolute url is taken as it is."""
    root: bool = False
    """Whether the path is below the target's root instead of its url."""
    headers: HttpHeaders = Field(default_factory=dict)
    """Headers of the request."""
    wanted: list[str] = Field(default_factory=list)
    """Names that must be exposed, of families or of samples; see `missing` and `values`."""
    skip_without: list[str] = Field(default_factory=list)
    """Names without a sample of which the check is skipped: for metrics that a server need not have."""
    timeout: Duration = 10.0
    """How long the scrape may take."""
    body_cap: BodyCap = 8 * 1024 * 1024
    """The largest body that is read; a larger one is the error too_large."""

    def verify_target(self, target: Target) -> None:
        """Raise ValueError for a target that is not reached by HTTP."""
        verify_http_target(target, self.path, at_root=self.root)


class Samples(Facts):
    """The exposition, parsed."""

    error: ErrorKind | None
    """Why there was no exposition."""
    error_detail: str | None
    """The error in words."""
    status: int | None
    """The status code of the scrape."""
    content_type: str | None
    """The media type of the exposition."""
    total_ms: Milliseconds | None
    """How long the scrape took."""
    valid: bool | None
    """Whether the whole body is what it claims: Prometheus' text format 0.0.4, or, by its content type, OpenMetrics."""
    problem: str | None
    """Why it is not valid."""
    families: dict[str, str] | None
    """Name of each family, as it is exposed, and its type: counter, gauge, histogram, summary ...; the first 5 000."""
    samples: dict[str, float] | None
    """`name`: the sum over all its labels; `name{a="b"}`: each single sample, labels in order, the first 5 000."""
    sample_count: Count | None
    """How many single samples there are."""
    label_sets: dict[str, Count] | None
    """Family -> number of different label sets, without `le` and `quantile`: it shows labels without bound."""
    missing: list[str] | None
    """Names in `wanted` that are neither a family nor a sample."""
    values: dict[str, float] | None
    """The sums of the names in `wanted` that have samples; of a histogram or summary, its count."""
