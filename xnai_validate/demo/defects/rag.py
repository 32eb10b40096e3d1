"""Defects of the way from a question to its answer: where it comes from, whose it is, what is taken and refused."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

_GROUNDING = (
    Defect(
        "answer-embellished",
        "Answers go on after the documents' words with things that stand in no document.",
        checks=("rag/grounding:supported", "rag/grounding:supported-too", "rag/consistency:same"),
    ),
    Defect(
        "sources-everything",
        "Every answer cites every document there is.",
        checks=("rag/grounding:few-sources", "rag/consistency:same"),
    ),
    Defect(
        "stream-other-sources",
        "The stream cites another document than the query.",
        checks=("rag/consistency:same", "rag/grounding:streamed"),
    ),
    Defect(
        "answer-varies",
        "The same question gets another answer each time, also at temperature 0.",
        checks=("rag/consistency:same", "rag/consistency:repeated"),
    ),
)

_ISOLATION = (
    Defect(
        "answers-shared-while-busy",
        "Who asks while another question is being answered gets the answer to that one.",
        checks=("rag/isolation:callers",),
    ),
    Defect(
        "streams-shared-while-busy",
        "A stream that begins while another is being told tells the answer of that one.",
        checks=("rag/isolation:streams",),
    ),
    Defect(
        "sources-null",
        "Without retrieval the sources are null instead of an empty list.",
        checks=("api/contract:query", "rag/isolation:without-rag"),
    ),
)

_INJECTION = (
    Defect(
        "injection-obeyed",
        "A question or document that says to ignore the instructions is obeyed.",
        checks=("rag/injection:question", "rag/injection:document", "rag/injection:stream"),
    ),
    Defect(
        "stream-echoes-question",
        "A stream begins with the question as it was sent, line ends and all.",
        checks=("rag/injection:frames",),
    ),
    Defect(
        "answer-as-page",
        "The answer to a question with markup in it is served as an HTML page.",
        checks=("rag/injection:markup",),
    ),
)

_ACCOUNTING = (
    Defect("streams-uncounted", "Streams do not move the counters of questions.", checks=("rag/accounting:streams",)),
    Defect(
        "tokens-counted-twice",
        "The counter of tokens counts each token twice.",
        checks=("rag/accounting:queries", "rag/accounting:streams"),
    ),
    Defect(
        "transaction-left-open",
        "A stream that its reader left stays initiated in xnai_queries for ever.",
        checks=("rag/accounting:left",),
        layout="B",
    ),
    Defect(
        "transaction-other-id",
        "Transactions in xnai_queries have ids of their own, which no caller knows.",
        checks=("rag/accounting:transaction",),
        layout="B",
    ),
)

_MODEL = (
    Defect(
        "stream-limit-applied-late",
        "max_tokens only cuts the stream; the model makes the whole answer all the same.",
        checks=("rag/model:limit-reaches-model",),
    ),
    Defect("stream-throttled", "Each token of a stream takes a tenth of a second.", checks=("rag/model:rate",)),
    Defect(
        "query-timeout-poisons",
        "Once the model has timed out in a query, no query is answered any more.",
        checks=("rag/failure:query-again",),
    ),
    Defect(
        "stream-timeout-poisons",
        "Once the model has timed out in a stream, no stream is told any more.",
        checks=("rag/failure:stream-again",),
    ),
    Defect(
        "stream-splits-characters",
        "Tokens are decoded byte by byte, so that every character beyond ASCII is lost.",
        checks=("rag/model:characters",),
    ),
    Defect(
        "model-failure-as-answer",
        "A model that does not answer in time is told as an answer: an apology with status 200.",
        checks=("rag/failure:silent-query",),
    ),
)

_LIMITS = (
    Defect(
        "deep-json-fails",
        "A body nested thousands deep makes the application fail.",
        checks=("api/limits:malformed", "api/limits:stream-malformed"),
    ),
    Defect("length-in-bytes", "The length of a question is counted in bytes.", checks=("api/limits:lengths",)),
    Defect("ranges-unchecked", "temperature and top_p are taken whatever they are.", checks=("api/limits:numbers",)),
    Defect("null-fails", "A field that is null makes the application fail.", checks=("api/limits:types",)),
    Defect("nul-fails", "A question with a NUL in it makes the application fail.", checks=("api/limits:unicode",)),
    Defect(
        "stream-validates-late",
        "A stream is begun with status 200 before the question is looked at.",
        checks=("api/limits:stream-lengths", "api/limits:stream-malformed", "streaming/stream:refused-before"),
    ),
    Defect(
        "search-odd-text-fails",
        "A search for text beyond ASCII makes the application fail.",
        checks=("api/contract:search",),
        layout="B",
    ),
)

RAG: tuple[Defect, ...] = (*_GROUNDING, *_ISOLATION, *_INJECTION, *_ACCOUNTING, *_MODEL, *_LIMITS)
"""All of them."""
