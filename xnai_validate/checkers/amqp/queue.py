"""`amqp.queue`: whether a queue of a broker exists, how many messages wait in it, and who takes them."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from xnai_validate.checkers.amqp._models import SCHEMES, QueueFacts, QueueParams, other_protocol
from xnai_validate.kit import Context, ErrorKind, NotApplicable, Unmeasurable, checker
from xnai_validate.wire.failure import WireError


@checker("amqp.queue", expect={"error": None, "exists": True}, extra="amqp", preload=("pamqp",), from_workers=True)
async def queue(params: QueueParams, ctx: Context) -> QueueFacts:
    """Ask a broker that speaks AMQP 0-9-1 (RabbitMQ, LavinMQ) for a queue, without changing it.

    The queue is declared with `passive` set (AMQP 0-9-1, queue.declare), which creates nothing. Whether it is durable
    is not part of the answer; the management API of RabbitMQ has that. The target's url is
    `amqp://user@host:5672/vhost`, or `amqps` for TLS, with the password in `password_env`; without a user it is guest,
    without a virtual host `/`. The user needs the permission `configure`, `write` or `read` on the queue.

        kind: amqp.queue
        target: broker
        matrix: {queue: [orders, mails]}
        with: {queue: "${matrix.queue}"}
        expect: {consumers: {min: 1}, messages: {max: 1000}}
    """
    target = ctx.target
    if target.url is None:
        raise NotApplicable(f"target {target.name} has no url")
    if target.scheme not in SCHEMES:
        raise Unmeasurable(other_protocol(target))
    if find_spec("pamqp") is None:
        raise Unmeasurable("amqp.queue needs the library pamqp", hint="pip install 'xnai-validate[amqp]'")
    from xnai_validate.checkers.amqp._connection import declared

    try:
        async with asyncio.timeout(params.timeout):
            return await declared(target, params.queue)
    except TimeoutError:
        return QueueFacts(error=ErrorKind.TIMEOUT, error_detail=f"no answer within {params.timeout:g} s")
    except WireError as failure:
        return QueueFacts(error=failure.kind, error_detail=failure.detail)
