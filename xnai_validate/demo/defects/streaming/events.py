"""Events that are missing, doubled, in the wrong order or wrong in themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from xnai_validate.demo.api.answers.frames import Event
from xnai_validate.demo.api.answers.turn import Turn, token_limit
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.streaming.changes import EventChange, change_events, change_events_of, change_token

WITHOUT_DONE = change_events_of(
    "done",
    Defect(
        "stream-without-done",
        "The stream ends without a done event.",
        checks=("streaming/stream:ends", "streaming/stream:without-rag"),
    ),
    lambda _: [],
)

DONE_MISCOUNTS = change_events_of(
    "done",
    Defect(
        "stream-done-miscounts",
        "The done event counts more tokens than were sent.",
        checks=(
            "rag/consistency:counted",
            "streaming/stream:many-at-once",
            "streaming/stream:tokens-counted",
        ),
    ),
    lambda event: [event | {"tokens": int(str(event["tokens"])) + 3}],
)

DONE_WITHOUT_LATENCY = change_events_of(
    "done",
    Defect(
        "stream-done-without-latency", "The done event lacks latency_ms.", checks=("streaming/stream:tokens-counted",)
    ),
    lambda event: [{"type": "done", "tokens": event["tokens"]}],
)

ERROR_THEN_DONE = change_events_of(
    "done",
    Defect(
        "stream-error-then-done",
        "An error is followed by done, so the reader takes the answer for whole.",
        checks=("streaming/stream:ends",),
    ),
    lambda event: [{"type": "error", "error": "The answer may be incomplete."}, event],
)

WITHOUT_SOURCES = change_events_of(
    "sources",
    Defect(
        "stream-without-sources",
        "The stream does not name its sources.",
        checks=("streaming/stream:answers", "streaming/stream:order"),
    ),
    lambda _: [],
)

TOKEN_RENAMED = change_events_of(
    "token",
    Defect(
        "stream-token-renamed",
        "The text of a token stands in another field.",
        checks=(
            "streaming/stream:answers",
            "streaming/stream:same-answer",
            "streaming/stream:tokens-counted",
        ),
    ),
    lambda event: [{"type": "token", "text": event["content"]}],
)

TOKENS_DOUBLED = change_token(
    3,
    Defect(
        "stream-tokens-doubled",
        "A token is sent twice.",
        checks=(
            "streaming/stream:many-at-once",
            "streaming/stream:same-answer",
            "streaming/stream:token-limit",
            "streaming/stream:tokens-counted",
        ),
    ),
    lambda event: [event, event],
)

EMPTY_TOKENS = change_events_of(
    "token",
    Defect(
        "stream-empty-tokens",
        "Every second token is empty.",
        checks=(
            "streaming/stream:many-at-once",
            "streaming/stream:tokens-counted",
        ),
    ),
    lambda event: [event, {"type": "token", "content": ""}],
)

OVERSIZED_EVENT = change_token(
    3,
    Defect("stream-oversized-event", "An event is larger than 65 536 bytes.", checks=("streaming/stream:frames",)),
    lambda event: [event, {"type": "token", "content": "x" * 70_000}],
)


def _hold_back(kind: str, *, before_done: bool) -> Callable[[], EventChange]:
    """Hold back the last event of one type until `done`, and send it before that (`before_done`) or after."""

    def make_change() -> EventChange:
        held: list[Event] = []

        def changed(event: Event) -> Iterator[Event]:
            if event.get("type") == kind:
                yield from held
                held[:] = [event]
            elif event.get("type") == "done":
                yield from (*held, event) if before_done else (event, *held)
                held.clear()
            else:
                yield event

        return changed

    return make_change


DONE_EARLY = change_events(
    Defect(
        "stream-done-early",
        "The done event comes before the last token.",
        checks=("streaming/stream:ends",),
    ),
    _hold_back("token", before_done=False),
)

SOURCES_LATE = change_events(
    Defect("stream-sources-late", "The sources come after the tokens.", checks=("streaming/stream:order",)),
    _hold_back("sources", before_done=True),
)


def _swap_second_and_third() -> EventChange:
    """Return a change of events that sends the second token after the event that follows it."""
    tokens = 0
    held: list[Event] = []

    def changed(event: Event) -> Iterator[Event]:
        nonlocal tokens
        tokens += event.get("type") == "token"
        if tokens == 2 and event.get("type") == "token":
            held.append(event)
            return
        yield event
        yield from held
        held.clear()

    return changed


TOKENS_SWAPPED = change_events(
    Defect(
        "stream-tokens-swapped", "Two tokens are sent in the wrong order.", checks=("streaming/stream:same-answer",)
    ),
    _swap_second_and_third,
)


def _another_text() -> EventChange:
    """Answer something else, as long as the answer would have been."""
    words = ["The", "weather", "is", "fine", "and", "nothing", "else", "is", "known."]
    tokens = 0

    def changed(event: Event) -> Iterator[Event]:
        nonlocal tokens
        if event.get("type") == "token":
            event = event | {"content": f" {words[tokens % len(words)]}"}
            tokens += 1
        yield event

    return changed


OTHER_TEXT = change_events(
    Defect(
        "stream-other-text",
        "The stream answers something else than the query.",
        checks=("streaming/stream:answers", "streaming/stream:same-answer"),
    ),
    _another_text,
)

MAX_TOKENS_IGNORED = Defect(
    "stream-max-tokens-ignored",
    "The stream is as long as it likes, whatever max_tokens is.",
    checks=("streaming/stream:token-limit",),
)


@MAX_TOKENS_IGNORED.wraps(token_limit)
def limit_of_tier(limit: Callable[[Turn], int], /, turn: Turn) -> int:
    """Return the limit of the tier for a stream, without `max_tokens`; the right one for a query."""
    return turn.tier.max_tokens if turn.kind == "stream" else limit(turn)
