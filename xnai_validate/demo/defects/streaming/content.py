"""Streams whose text is damaged, or that carry what they must not."""

from __future__ import annotations

from contextlib import aclosing

from xnai_validate.demo.api.answers.frames import frames
from xnai_validate.demo.api.schemas import QueryRequest
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.streaming.changes import Events, Frames, MakeFrames, change_events_of
from xnai_validate.demo.settings import Settings


def _split(text: str) -> str:
    """A text of which every character of several bytes was decoded byte by byte."""
    return "".join(char if char.isascii() else "\ufffd" * len(char.encode("utf-8", "replace")) for char in text)


SPLITS_CHARACTERS = change_events_of(
    "token",
    Defect(
        "stream-splits-characters",
        "Tokens are decoded byte by byte, so that every character beyond ASCII is lost.",
        checks=("rag/model:characters",),
    ),
    lambda event: [event | {"content": _split(str(event["content"]))}],
)

ECHOES_QUESTION = Defect(
    "stream-echoes-question",
    "A stream begins with the question as it was sent, line ends and all.",
    checks=("rag/injection:frames",),
)


@ECHOES_QUESTION.wraps(frames)
def frames_after_question(
    original: MakeFrames, /, settings: Settings, question: QueryRequest, events: Events
) -> Frames:
    """Send the frames after a comment that quotes the question."""
    return _after(question.query, original(settings, question, events))


async def _after(question: str, sent: Frames) -> Frames:
    """Yield a comment with the question, whose line ends end it too early, then the frames."""
    yield f": {question}\n\n".encode("utf-8", "replace")
    async with aclosing(sent):
        async for frame in sent:
            yield frame
