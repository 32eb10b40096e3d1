"""`rag.limits`: what a question endpoint takes and what it refuses, at each limit and on both sides of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from xnai_validate.checkers.rag._input import Input
from xnai_validate.checkers.rag._inputs import inputs
from xnai_validate.checkers.rag._models import Limited, LimitsParams
from xnai_validate.kit import Context, NotApplicable, checker
from xnai_validate.wire.content import json_of
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpAnswer, HttpClient, HttpRequest

LISTED_CAP = 50


@checker("rag.limits", expect={"violations": []})
async def limits(params: LimitsParams, ctx: Context) -> Limited:
    """Send a question endpoint inputs at and beyond each of its limits, and bodies that are not questions.

    Groups of inputs: `lengths` (questions of 0, 1, the most and one character more, counted as characters and not as
    bytes), `numbers` (`max_tokens`, `temperature`, `top_p` at both ends and beyond them), `types` (each field with
    values of other types), `unicode` (other scripts, emoji, directional marks, NUL, lone surrogates), `malformed` (38
    bodies that are cut short, nested without end, of another content type, coding or charset ...). What is within the
    limits must be answered with 200, what is not must be refused in the agreed form, and what might rightly be either
    must at least be answered: never with 500 or above.

        kind: rag.limits
        target: api
        with: {groups: [lengths, numbers], query_characters: 2000, max_tokens: 2048}
    """
    target = ctx.target
    if target.url is None:
        raise NotApplicable(f"target {target.name} has no url")
    client = await ctx.shared(("http",), HttpClient)
    url = target.join(params.path)
    queue = list(inputs(params))
    found = _Found(params)
    turns = iter(queue)

    async def ask_in_turn() -> None:
        """Ask the questions that are left."""
        for question in turns:
            ctx.progress(question.name)
            request = HttpRequest.of(url, "POST", headers=dict(question.headers), body=question.body, target=target)
            try:
                answer = await client.fetch(request, timeout_s=params.timeout)
            except WireError as failure:
                found.none(question, failure)
            else:
                found.add(question, answer)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(min(params.concurrent, len(queue))):
            tasks.create_task(ask_in_turn())
    return found.facts(queue)


class _Found:
    """Collects what became of each input."""

    def __init__(self, params: LimitsParams) -> None:
        self._params = params
        self._wrong: dict[str, list[tuple[str, str]]] = {}
        self._accepted = self._refused = 0
        self._slowest_ms: float | None = None

    def none(self, question: Input, failure: WireError) -> None:
        """There was no whole answer."""
        self._note_fault("unanswered", question, f"{failure.kind}: {failure.detail}")

    def add(self, question: Input, answer: HttpAnswer) -> None:
        """Count an answer, and note it under the fact that it belongs to; rules judge these facts later."""
        if answer.failure is not None:
            self.none(question, answer.failure)
            return
        self._slowest_ms = max(self._slowest_ms or 0.0, answer.total_ms)
        status = answer.head.status
        if status >= 500 and status in question.also:
            self._accepted += 1
        elif status >= 500:
            self._note_fault("server_errors", question, str(status))
        elif status < 400:
            self._accepted += 1
            if question.expected == "refused" or status != 200:
                self._note_fault("wrongly_accepted", question, str(status))
            elif self._params.answer == "json" and not isinstance(json_of(answer.body)[0], dict):
                self._note_fault("wrongly_accepted", question, "200, and not a JSON object")
        else:
            self._refused += 1
            if question.expected == "accepted" or status not in (*self._params.refused, *question.also):
                self._note_fault("wrongly_refused", question, str(status))
            lacks = self._envelope_fault(answer, status) if status not in question.also else None
            if lacks:
                self._note_fault("without_envelope", question, f"{status}, {lacks}")

    def _envelope_fault(self, answer: HttpAnswer, status: int) -> str | None:
        """Return what the error envelope of a response lacks; None if it is complete."""
        if not self._params.envelope:
            return None
        body = json_of(answer.body)[0]
        if not isinstance(body, dict):
            return "not a JSON object"
        missing = [name for name in self._params.envelope if name not in body]
        if missing:
            return f"without {', '.join(missing)}"
        claimed = body.get("http_status", status)
        return None if claimed == status else f"but its http_status is {str(claimed)[:20]}"

    def _note_fault(self, fact: str, question: Input, what: str) -> None:
        """Note what is wrong with the response to a question."""
        self._wrong.setdefault(fact, []).append((question.name, f"{question.name}: {what}"))

    def facts(self, questions: Sequence[Input]) -> Limited:
        """Return the facts of all inputs, in their order."""
        order = {question.name: place for place, question in enumerate(questions)}

        def list_faults(*facts: str) -> Iterator[str]:
            """List what is wrong by the given facts, in the order of the questions."""
            pairs = [pair for fact in facts for pair in self._wrong.get(fact, ())]
            yield from (text for _, text in sorted(pairs, key=lambda pair: order[pair[0]])[:LISTED_CAP])

        return Limited(
            inputs=len(questions),
            accepted=self._accepted,
            refused=self._refused,
            violations=list(list_faults(*self._wrong)),
            violation_count=len({name for pairs in self._wrong.values() for name, _ in pairs}),
            server_errors=list(list_faults("server_errors")),
            wrongly_accepted=list(list_faults("wrongly_accepted")),
            wrongly_refused=list(list_faults("wrongly_refused")),
            without_envelope=list(list_faults("without_envelope")),
            unanswered=list(list_faults("unanswered")),
            slowest_ms=self._slowest_ms,
        )
