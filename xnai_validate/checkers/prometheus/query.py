"""`prometheus.query`: the value of a PromQL expression now."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Annotated, Literal

from xnai_validate.checkers.prometheus._api import ApiAnswer, ApiFacts, ApiParams, call, malformed
from xnai_validate.kit import Context, Count, JsonValue, StringConstraints, checker

VALUES_CAP = 1_000
"""Series whose values are kept."""
ResultType = Literal["vector", "scalar", "matrix", "string"]


class QueryParams(ApiParams):
    """The expression."""

    query: Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
    """A PromQL expression: `sum(rate(http_requests_total{code=~"5.."}[5m]))`."""


class QueryFacts(ApiFacts):
    """The result."""

    result_type: ResultType | None = None
    """vector, scalar, matrix (of a range such as `up[5m]`, of which the last values are taken) or string."""
    samples: Count | None = None
    """The number of series (or 1 for a scalar) that have a value."""
    value: float | None = None
    """The value, where there is exactly one."""
    min_value: float | None = None
    """The smallest of all values; null without any, and where one is not a number (NaN)."""
    max_value: float | None = None
    """The largest of all values, likewise."""
    values: dict[str, float] | None = None
    """Series (`{job="api",instance="a:1"}`) -> value, the first 1 000."""


@checker("prometheus.query", expect={"error": None, "query_error": None, "samples": {"min": 1}}, from_workers=True)
async def query(params: QueryParams, ctx: Context) -> QueryFacts:
    """Ask Prometheus for the value of an expression now, and judge it.

    Source: Prometheus' HTTP API, instant queries, which Thanos, Mimir and VictoriaMetrics serve too. An expression
    without a sample is not a zero: it fails, unless the check expects `samples: 0` - then it holds only without any.

        kind: prometheus.query
        target: prometheus
        with: {query: "sum(rate(http_requests_total{code=~'5..'}[5m])) / sum(rate(http_requests_total[5m]))"}
        expect: {value: {max: 0.01}}

        kind: prometheus.query
        target: prometheus
        with: {query: "ALERTS{alertstate='firing', severity='critical'}"}
        expect: {samples: 0}
    """
    answer = await call(ctx, "query", {"query": params.query}, params)
    if answer.data is None:
        return QueryFacts.model_validate(answer.facts)
    return QueryFacts.model_validate(_facts_of(answer, answer.data))


def _facts_of(answer: ApiAnswer, data: Mapping[str, JsonValue]) -> dict[str, object]:
    """Return the facts of a result, of any of the four types of Prometheus."""
    type_, result = data.get("resultType"), data.get("result")
    if type_ not in ("vector", "scalar", "matrix", "string") or not isinstance(result, list):
        return malformed(answer, "the data has no `resultType` and `result` as documented")
    try:
        values = {} if type_ == "string" else {"": _parse_value(result)} if type_ == "scalar" else _series(result)
    except (ValueError, TypeError, KeyError, IndexError):
        return malformed(answer, "a sample of the result is not as documented")
    numbers = list(values.values())
    if type_ == "scalar" and numbers[0] != numbers[0]:
        numbers, values = [], {}  # `scalar()` makes NaN of what is not exactly one series
    ordered = bool(numbers) and all(number == number for number in numbers)
    return {
        **answer.facts,
        "result_type": type_,
        "samples": len(result) if type_ in ("vector", "matrix") else len(values),
        "value": numbers[0] if len(numbers) == 1 else None,
        "min_value": min(numbers) if ordered else None,
        "max_value": max(numbers) if ordered else None,
        "values": dict(islice(values.items(), VALUES_CAP)),
    }


def _series(result: list[JsonValue]) -> dict[str, float]:
    """Series -> its value, or the last one of a range. Native histograms have no single value and are left out."""
    values: dict[str, float] = {}
    for entry in result:
        if not isinstance(entry, dict):
            raise TypeError
        sample = entry.get("value")
        range_ = entry.get("values")
        if isinstance(range_, list) and range_:
            sample = range_[-1]
        if sample is not None:
            values[_name(entry["metric"])] = _parse_value(sample)
    return values


def _parse_value(sample: JsonValue) -> float:
    """Return the value of a sample, which is a list of a time and a text."""
    if not isinstance(sample, list):
        raise TypeError
    return float(str(sample[1]))


def _name(labels: JsonValue) -> str:
    """Format the name of a series as Prometheus does: `up{instance="a:1",job="api"}`."""
    if not isinstance(labels, dict):
        raise TypeError
    rest = ",".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "__name__")
    return f"{labels.get('__name__', '')}{{{rest}}}"[:500]
