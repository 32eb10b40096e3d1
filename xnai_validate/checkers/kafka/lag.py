"""`kafka.lag`: how far a consumer group is behind, and whether the partitions of topics are whole."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from xnai_validate.checkers.kafka._models import SCHEMES, LagFacts, LagParams, other_protocol
from xnai_validate.kit import Context, ErrorKind, NotApplicable, Unmeasurable, checker
from xnai_validate.wire.failure import WireError


@checker(
    "kafka.lag",
    expect={"error": None, "missing_topics": [], "without_leader": []},
    extra="kafka",
    preload=("aiokafka",),
    from_workers=True,
)
async def lag(params: LagParams, ctx: Context) -> LagFacts:
    """Ask a Kafka cluster (Apache Kafka, Redpanda) how far a consumer group is behind, by topic.

    The lag of a partition is its end offset less the offset that the group has committed; where it has committed none,
    all that is there. It is read like a consumer would, without joining the group, and no topic is created. The
    target's url is `kafka://host:9092`, `kafkas` for TLS, with a user for SASL and the password in `password_env`. The
    cluster answers with the addresses that it advertises (`advertised.listeners`): they must lead there from this host.

        kind: kafka.lag
        target: kafka
        with: {group: billing, topics: [orders]}
        expect: {lag: {max: 1000}, unread_partitions: [], under_replicated: []}
    """
    target = ctx.target
    if target.url is None:
        raise NotApplicable(f"target {target.name} has no url")
    if target.scheme not in SCHEMES:
        raise Unmeasurable(other_protocol(target))
    if find_spec("aiokafka") is None:
        raise Unmeasurable("kafka.lag needs the library aiokafka", hint="pip install 'xnai-validate[kafka]'")
    from xnai_validate.checkers.kafka._cluster import measured

    try:
        async with asyncio.timeout(params.timeout):
            return await measured(target, params)
    except TimeoutError:
        detail = f"not all answers came within {params.timeout:g} s; do the advertised listeners lead to the brokers?"
        return LagFacts(error=ErrorKind.TIMEOUT, error_detail=detail)
    except WireError as failure:
        return LagFacts(error=failure.kind, error_detail=failure.detail)
