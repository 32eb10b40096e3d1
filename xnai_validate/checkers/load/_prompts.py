"""Prompts that vary from request to request: one body again and again flatters the prefix caches of model servers."""

from __future__ import annotations

import json
import random
import stat
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Annotated, Self

from xnai_validate.checkers._request import RequestParams
from xnai_validate.checkers._streams.params import StreamedParams
from xnai_validate.checkers.load._generator.runner import RUNNER
from xnai_validate.checkers.load._http.request_bytes import request_bytes
from xnai_validate.kit import Field, Ge, JsonValue, Le, Params, Target, Unmeasurable, fill, model_validator, references
from xnai_validate.wire.http.client import HttpClient
from xnai_validate.wire.http.request import prepare
from xnai_validate.wire.http.session import authorized

PROMPT = "prompt"
"""What `{{...}}` in the JSON body refers to."""
FILE_CAP = 16 * 1024 * 1024
PROMPTS_CAP = 1_000
BODIES_CAP = 64 * 1024 * 1024
"""Bytes of all requests that are made beforehand; prompts beyond that are left out."""
_FIELDS = ("prompt", "text", "content", "question", "query")
"""Where a line of a file may have its prompt, if it is a JSON object."""
_SYLLABLES = ("ka", "lo", "mi", "re", "su", "ta", "no", "vi", "be", "du", "pa", "ze")


class Words(Params):
    """Prompts of random words: `{mean: 100, deviation: 30}`."""

    mean: Annotated[int, Ge(1), Le(50_000)]
    """The mean number of words; a word is about one and a half tokens."""
    deviation: Annotated[float, Ge(0), Le(50_000)] = 0.0
    """Its standard deviation; a prompt has at least one word."""
    count: Annotated[int, Ge(1), Le(PROMPTS_CAP)] = 200
    """How many prompts are made, from which each request takes one."""

    def make(self, draw: random.Random) -> list[str]:
        """The prompts; they differ from their first word on."""
        lengths = [max(1, round(draw.gauss(self.mean, self.deviation))) for _ in range(self.count)]
        return [" ".join("".join(draw.choices(_SYLLABLES, k=3)) for _ in range(length)) for length in lengths]


class Prompts(Params):
    """The prompts from which each request takes one by chance: texts, a file of them, or random words."""

    texts: Annotated[list[str], Field(min_length=1, max_length=PROMPTS_CAP)] | None = None
    """The prompts themselves."""
    file: str | None = None
    """A file with a prompt a line: a text, or JSON with one in `prompt`, `text`, `content`, `question` or `query`. The
    first 1 000 are taken."""
    words: Words | None = None
    """Prompts of random words, with a distribution of lengths."""
    seed: Annotated[int, Ge(0)] = 0
    """The same seed gives the same prompts in the same order."""

    @model_validator(mode="after")
    def _single_form(self) -> Self:
        """Raise ValueError unless prompts have exactly one of texts, a file and words."""
        if (self.texts is not None) + (self.file is not None) + (self.words is not None) != 1:
            raise ValueError("prompts need either texts, a file or words")
        return self

    def verify_body(self, body: JsonValue) -> None:
        """Raise ValueError for a body that no prompt goes into."""
        if PROMPT not in references(body):
            raise ValueError('no text of json is or holds "{{prompt}}", so the prompts would not be sent')

    def all(self, draw: random.Random) -> list[str]:
        """The prompts. Raises Unmeasurable where the file has none or cannot be read."""
        if self.words is not None:
            return self.words.make(draw)
        return self.texts if self.texts is not None else _read_prompts(Path(self.file or ""))


def _read_prompts(path: Path) -> list[str]:
    """Read the prompts of a file. Raises Unmeasurable where it has none or cannot be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Unmeasurable(f"the prompts are to come from {path}, which is no regular file")
        with path.open("rb") as file:
            lines = file.read(FILE_CAP).decode("utf-8", "replace").split("\n")
    except OSError as error:
        raise Unmeasurable(
            f"the prompts could not be read from {path}: {error.strerror or error}",
            hint="paths are relative to the folder that the tool runs in",
        ) from error
    prompts = [text for line in lines if line.strip() and (text := _prompt_in(line.strip())) is not None][:PROMPTS_CAP]
    if not prompts:
        raise Unmeasurable(f"{path} has no prompt", hint=f"a text a line, or JSON with one of {', '.join(_FIELDS)}")
    return prompts


def _prompt_in(line: str) -> str | None:
    """Return the prompt of a line; None for a JSON object without one."""
    if not line.startswith("{"):
        return line
    try:
        document = json.loads(line)
    except ValueError:
        return line
    return next((value for name in _FIELDS if isinstance(value := document.get(name), str)), None)


async def chosen_requests(
    prompts: Prompts, params: RequestParams | StreamedParams, target: Target, client: HttpClient
) -> Callable[[], bytes]:
    """Make a request on the wire for each prompt; return what chooses one, a call for each request of the load."""
    draw = random.Random(prompts.seed)
    made: list[bytes] = []
    size = 0
    for text in prompts.all(draw):
        filled = params.model_copy(update={"json_": fill(params.json_, {PROMPT: text})})
        made.append(request_bytes(prepare(await authorized(filled.request(target), client))))
        size += len(made[-1])
        if size > BODIES_CAP:
            break
    chosen = (draw.choice(made) for _ in repeat(None))
    return RUNNER.get().share.part(chosen).__next__
