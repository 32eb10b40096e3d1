"""The speech server: OpenAI's audio API, as speaches, LocalAI and openedai-speech serve it.

* `POST /v1/audio/speech` `{model, input, voice, response_format}` -> `audio/wav`, as long as the text demands; 400 for
  an empty text or above 4096 characters.
* `POST /v1/audio/transcriptions`, a form with `file` and `model` -> `{text}`; 400 for a file without a recording, 413
  above 25 MB.
* `GET /v1/models`, `GET /health`.

It understands word for word what it speaks. An error is `{"error": {message, type}}`.
"""

from __future__ import annotations

import asyncio
import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from xnai_validate.demo.seams import seam
from xnai_validate.demo.services import speech
from xnai_validate.demo.settings import Settings

LARGEST_BYTES = 25 * 1024 * 1024
_LONGEST_TEXT = 4096


class Refused(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@seam
def heard_in(recording: speech.Recording) -> speech.Heard:
    """What is recognised in a recording."""
    return speech.recognise(recording)


@seam
def not_a_recording(error: speech.NotAudio) -> Response:
    """The response to a file that is not a recording."""
    raise Refused(400, "The file is not a PCM recording in a WAV file.") from error


@seam
def spoken(text: str) -> bytes:
    """The WAV file of a text."""
    return speech.synthesise(text)


@seam
def text_to_speak(sent: object) -> str:
    """The text in the body of a request. Raises Refused."""
    text = sent.get("input") if isinstance(sent, dict) else None
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST_TEXT:
        raise Refused(400, f"input must have 1 to {_LONGEST_TEXT} characters.")
    return text


@seam
async def transcription(request: Request) -> Response:
    """Recognise the recording in a request. Raises Refused."""
    sent = file_in(await _body(request), request.headers.get("content-type", ""))
    try:
        recording = speech.parse(sent)
    except speech.NotAudio as error:
        return not_a_recording(error)
    return JSONResponse({"text": (await asyncio.to_thread(heard_in, recording)).text})


async def _speak(request: Request) -> Response:
    """Respond with the recording of a text. Raises Refused."""
    try:
        sent: object = json.loads(await _body(request))
    except ValueError as error:
        raise Refused(400, "The body is not JSON.") from error
    return Response(await asyncio.to_thread(spoken, text_to_speak(sent)), media_type="audio/wav")


def file_in(body: bytes, content_type: str) -> bytes:
    """The field `file` of a form (RFC 7578). Raises Refused."""
    _, _, boundary = content_type.partition("boundary=")
    for part in body.split(b"--" + boundary.strip('"').encode("latin-1")) if boundary else ():
        head, _, content = part.partition(b"\r\n\r\n")
        if b'name="file"' in head:
            return content.removesuffix(b"\r\n")
    raise Refused(400, "The form has no field file.")


async def _body(request: Request) -> bytes:
    """The request's body, refused as soon as it is too long."""
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > LARGEST_BYTES:
            raise Refused(413, "The file is larger than 25 MB.")
    return bytes(pieces)


async def _error(_request: Request, error: Exception) -> Response:
    """The response to an error, in OpenAI's form."""
    assert isinstance(error, Refused)
    return JSONResponse({"error": {"message": error.message, "type": "invalid_request_error"}}, error.status)


async def _models(_request: Request) -> Response:
    """Respond with the list of models, as OpenAI's API has it."""
    models = [{"id": name, "object": "model", "owned_by": "local"} for name in ("tts-1", "whisper-1")]
    return JSONResponse({"object": "list", "data": models})


async def _health(_request: Request) -> Response:
    """Respond that the server works."""
    return JSONResponse({"status": "ok"})


def create(_settings: Settings) -> Starlette:
    """The application on the port `voice`."""

    async def transcribe(request: Request) -> Response:
        return await transcription(request)

    return Starlette(
        routes=[
            Route("/health", _health),
            Route("/v1/models", _models),
            Route("/v1/audio/transcriptions", transcribe, methods=["POST"]),
            Route("/v1/audio/speech", _speak, methods=["POST"]),
        ],
        exception_handlers={Refused: _error},
    )
