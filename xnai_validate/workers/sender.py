"""What is sent to workers, and whether it may be."""

from __future__ import annotations

import json
from collections.abc import Iterable

from xnai_validate.kit import Checker, JsonObject, Masker, Params, Target, Unmeasurable
from xnai_validate.workers import worker_calls
from xnai_validate.workers.cluster import Cluster, Worker
from xnai_validate.workers.orders import PLAIN_HINT, holds_secrets, is_local, order_params, order_target


class Sender:
    """Makes targets and params plain for the workers of a run."""

    def __init__(self, cluster: Cluster, masker: Masker, *, allow_plain: bool) -> None:
        self.secrets_may_be_sent = cluster.is_private or allow_plain
        """Whether what is sent is encrypted, stays on this host, or may be read by others."""
        self._masker = masker

    async def target(self, target: Target, workers: Iterable[Worker]) -> JsonObject:
        """Return a target as plain data. Raises Unmeasurable for a local url, by which a worker finds its own host."""
        others = [worker for worker in workers if worker.network != worker_calls.network()]
        if is_local(target) and others:
            raise Unmeasurable(
                f"{target.name} is at {self._masker.text(target.url or '')}, which worker {others[0].label} cannot "
                "reach: it is on another host",
                hint="give the target a url that the workers reach",
            )
        return await order_target(target)

    def params(self, checker: Checker, params: Params, name: str, target: JsonObject | None) -> JsonObject:
        """Return params as plain data. Raises Unmeasurable for secrets in them, or in the target, that may be read.

        `name`: what needs the secrets, for the error: the target, or the kind of the check.
        """
        plain = order_params(checker, params)
        text = json.dumps([target, plain], ensure_ascii=False)
        is_secret = self._masker.text(text) != text
        if not self.secrets_may_be_sent and (
            is_secret if target is None else holds_secrets(target, is_secret=is_secret)
        ):
            message = f"{name} needs secrets, and the connections to the workers are not encrypted"
            raise Unmeasurable(message, hint=PLAIN_HINT)
        return plain
