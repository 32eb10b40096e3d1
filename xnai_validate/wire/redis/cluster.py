"""Redis Cluster: where a node sends a command on, and which nodes hold the keys.

https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from redis.crc import REDIS_CLUSTER_HASH_SLOTS
from redis.exceptions import AskError, MovedError

from xnai_validate.wire.redis.replies import RedisRefusal, Reply, list_of, number_of, text_of

_REDIRECTS = {"MOVED": MovedError, "ASK": AskError}


class Node(NamedTuple):
    """The address of a node as the cluster announces it."""

    host: str
    port: int


def redirected(replies: Sequence[Reply], host: str) -> dict[tuple[Node, bool], list[int]]:
    """The numbers of the replies that send their command to another node, by node and whether to send ASKING first.

    `host` is that of the node that answered: an announcement without a host means that one.
    """
    elsewhere: dict[tuple[Node, bool], list[int]] = {}
    for number, reply in enumerate(replies):
        if isinstance(reply, RedisRefusal) and reply.code in _REDIRECTS:
            try:
                redirect = _REDIRECTS[reply.code](reply.detail.partition(" ")[2])
            except ValueError:
                continue  # not as specified: it stays an error, in the server's own words
            elsewhere.setdefault((Node(redirect.host or host, redirect.port), reply.code == "ASK"), []).append(number)
    return elsewhere


def masters(slots: Reply, host: str) -> tuple[list[Node], bool]:
    """The masters in a reply to CLUSTER SLOTS, in order, and whether they serve every slot.

    `host` is that of the node that answered: an announcement without a host means that one.
    """
    nodes: dict[Node, None] = {}
    served = 0
    for row in list_of(slots):
        first, last, master = (*list_of(row), None, None, None)[:3]
        begin, end = number_of(first), number_of(last)
        announced, port = (*list_of(master), None, None)[:2]
        number = number_of(port)
        if begin is None or end is None or number is None:
            continue
        nodes[Node(text_of(announced) or host, number)] = None
        served += end - begin + 1
    return list(nodes), served == REDIS_CLUSTER_HASH_SLOTS
