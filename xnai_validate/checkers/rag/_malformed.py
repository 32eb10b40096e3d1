"""Bodies that are not questions, and some that may be one, as clients, proxies and attackers send them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator

from xnai_validate.checkers.rag._input import JSON, Input
from xnai_validate.wire.http.upload import Padded

DEPTH = 50_000
DIGITS = 5_000
"""CPython refuses to read integers of more than 4 300 digits; a service must not fall over that."""
LARGE_BYTES = 1 << 20


def malformed(question: str) -> Iterator[Input]:
    """The bodies, around a question that is taken."""
    quoted = json.dumps(question)
    whole = f'{{"query": {quoted}}}'
    yield from _not_json(quoted, whole)
    yield from _not_objects(quoted)
    yield from _impossible_numbers(quoted)
    yield from _other_encodings(whole)
    yield from _other_content_types(question, whole)


def _not_json(quoted: str, whole: str) -> Iterator[Input]:
    """Yield bodies that are not JSON, made from a quoted question and a whole valid body."""
    texts = {
        "an empty body": "",
        "a body of blanks": " \r\n\t ",
        "an opening brace": "{",
        "a body cut in the middle": '{"query": ',
        "a body cut before its end": whole[:-1],
        "a comma at the end": f'{{"query": {quoted},}}',
        "single quotes": "{'query': 'a'}",
        "a name without quotes": f"{{query: {quoted}}}",
        "a comment": f'{{"query": {quoted} /* please */}}',
        "two documents": whole + whole,
        "an unescaped line break within a string": '{"query": "a\nb"}',
        "an invalid escape": '{"query": "\\x41"}',
        "a closing bracket for a brace": f'{{"query": {quoted}]',
    }
    for name, text in texts.items():
        yield Input(name, "refused", text.encode())


def _not_objects(quoted: str) -> Iterator[Input]:
    """Yield JSON documents that are not objects with a question, made from a quoted question."""
    texts = {
        "null": "null",
        "true": "true",
        "a number": "42",
        "a string": quoted,
        "an empty list": "[]",
        "a list of questions": f'[{{"query": {quoted}}}]',
        "a question within an object": f'{{"query": {{"$ne": {quoted}}}}}',
        "brackets nested 50 000 deep": "[" * DEPTH + "]" * DEPTH,
        "objects nested 50 000 deep": '{"query":' * (DEPTH // 4) + "1" + "}" * (DEPTH // 4),
    }
    for name, text in texts.items():
        yield Input(name, "refused", text.encode(), also=(413,))
    yield Input("the question twice", "answered", f'{{"query": {quoted}, "query": {quoted}}}'.encode())


def _impossible_numbers(quoted: str) -> Iterator[Input]:
    """Yield questions with a number that JSON or the endpoint does not know."""
    values = {
        "max_tokens of NaN": "NaN",
        "max_tokens of infinity": "1e999",
        "max_tokens of 5 000 digits": "9" * DIGITS,
        "max_tokens of 2^63": str(2**63),
    }
    for name, value in values.items():
        yield Input(name, "refused", f'{{"query": {quoted}, "max_tokens": {value}}}'.encode())


def _other_encodings(whole: str) -> Iterator[Input]:
    """Yield questions with invalid UTF-8, a byte order mark, or in UTF-16."""
    yield Input("bytes that are not UTF-8", "refused", b'{"query": "\xff\xfe\x80"}')
    yield Input("an overlong UTF-8 sequence", "refused", b'{"query": "\xc0\xaf"}')
    yield Input("a UTF-8 sequence cut short", "refused", b'{"query": "\xe4\xbd"}')
    yield Input("a byte order mark before the body", "answered", b"\xef\xbb\xbf" + whole.encode())
    yield Input("a body in UTF-16", "answered", whole.encode("utf-16"))


def _other_content_types(question: str, whole: str) -> Iterator[Input]:
    """Yield questions as other content types: forms, text, gzip, and a large body."""
    form = b"query=" + question.encode().replace(b" ", b"+")
    yield Input("a form", "refused", form, (("Content-Type", "application/x-www-form-urlencoded"),), (415,))
    part = f'--b\r\nContent-Disposition: form-data; name="query"\r\n\r\n{question}\r\n--b--\r\n'.encode()
    yield Input("a multipart form", "refused", part, (("Content-Type", "multipart/form-data; boundary=b"),), (415,))
    yield Input("JSON declared as text", "answered", whole.encode(), (("Content-Type", "text/plain"),))
    yield Input("JSON without a content type", "answered", whole.encode(), ())
    squeezed = (*JSON, ("Content-Encoding", "gzip"))
    yield Input("a body in gzip", "answered", gzip.compress(whole.encode(), mtime=0), squeezed, (415,))
    large = Padded(whole[:-1].encode() + b', "padding": "', b"x", LARGE_BYTES, b'"}')
    yield Input("a body of one mebibyte", "answered", large, also=(413,))
