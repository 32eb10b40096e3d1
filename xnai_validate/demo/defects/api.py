"""Defects of the application, with those of its model server and of what watches over it."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect
from xnai_validate.demo.defects.model import MODEL
from xnai_validate.demo.defects.watching import WATCHING

_HEALTH = (
    Defect(
        "health-status-stuck",
        "Health says degraded although every component works.",
        checks=(
            "api/health:status-follows",
            "services/answers:api-health",
        ),
    ),
    Defect(
        "health-field-missing",
        "Health lacks memory_gb.",
        checks=(
            "api/health:memory-true",
            "api/health:shape",
            "api/openapi:conforms",
        ),
    ),
    Defect(
        "health-component-strings",
        "Health gives its components as text instead of booleans.",
        checks=(
            "api/contract:reads",
            "api/health:components-true",
            "api/health:status-follows",
            "api/openapi:conforms",
            "dependencies/chain:api-redis-component",
        ),
    ),
    Defect(
        "health-version-empty",
        "Health has an empty version.",
        checks=(
            "api/health:shape",
            "api/openapi:conforms",
        ),
    ),
    Defect(
        "health-memory-bytes",
        "Health gives memory_gb in bytes.",
        checks=(
            "api/health:memory-true",
            "api/health:shape",
        ),
    ),
    Defect("health-slow", "Health takes three seconds.", checks=("api/health:quick",)),
    Defect(
        "health-vectorstore-lie",
        "Health says that the vector store is loaded although it is empty.",
        checks=("api/query:answers",),
    ),
    Defect(
        "health-key-missing", "Health does not write the key xnai_health_check.", checks=("api/health:redis-written",)
    ),
    Defect("health-key-without-ttl", "The key xnai_health_check never expires.", checks=("api/health:redis-written",)),
    Defect(
        "health-tier-missing", "Health does not say the degradation tier.", checks=("api/openapi:conforms",), layout="B"
    ),
    Defect(
        "vectorstore-empty",
        "No document was indexed; answers come without sources.",
        checks=(
            "rag/ready:ladder",
            "api/query:answers",
            "api/query:cites",
            "streaming/stream:order",
        ),
    ),
)

_DOCUMENTATION = (
    Defect(
        "docs-disabled",
        "The API's documentation pages answer 404.",
        checks=(
            "api/openapi:docs-page",
            "api/openapi:redoc-page",
        ),
    ),
    Defect(
        "openapi-missing",
        "The OpenAPI document answers 404.",
        checks=(
            "api/openapi:valid",
            "api/openapi:operations",
        ),
    ),
    Defect(
        "openapi-operation-missing",
        "The OpenAPI document does not know the stream.",
        checks=("api/openapi:operations",),
    ),
    Defect(
        "openapi-lies",
        "The OpenAPI document promises a field that is never sent, and another type.",
        checks=("api/openapi:conforms",),
    ),
    Defect(
        "docs-search-unlimited",
        "The document search ignores its limit and finds everything.",
        checks=("api/websocket:docs-search",),
        layout="B",
    ),
)

_ANSWERS = (
    Defect(
        "answers-canned",
        "Every question gets the same polite sentence.",
        checks=(
            "api/query:answers",
            "api/query:answers-another",
        ),
    ),
    Defect(
        "answers-crossed",
        "Each caller gets the answer to the question before.",
        checks=(
            "api/query:answers",
            "api/query:answers-another",
        ),
    ),
    Defect(
        "answer-empty",
        "The answer's text is empty.",
        checks=(
            "api/query:answers",
            "api/query:answers-another",
            "api/query:shape",
            "api/query:token-limit",
        ),
    ),
    Defect(
        "answer-field-renamed",
        "The answer's text stands in another field.",
        checks=(
            "api/contract:query",
            "api/openapi:conforms",
            "api/query:answers",
            "api/query:answers-another",
        ),
    ),
    Defect(
        "sources-missing",
        "Answers from documents name no sources.",
        checks=(
            "api/query:answers",
            "api/query:answers-another",
            "api/query:cites",
            "api/query:shape",
        ),
    ),
    Defect("sources-repeated", "Sources are named twice.", checks=("rag/grounding:cited",)),
    Defect(
        "sources-invented",
        "The source named is a document that does not exist.",
        checks=(
            "rag/grounding:cited",
            "rag/grounding:cited-too",
            "api/query:cites",
        ),
    ),
    Defect(
        "rag-off-cites",
        "Answers without retrieval name a source.",
        checks=(
            "rag/isolation:without-rag",
            "api/query:without-rag",
        ),
    ),
    Defect(
        "max-tokens-ignored",
        "The answer is as long as it likes, whatever max_tokens says.",
        checks=(
            "api/query:token-limit",
            "streaming/stream:token-limit",
        ),
    ),
    Defect(
        "tokens-miscounted",
        "The answer says that it has no tokens.",
        checks=(
            "rag/ready:ladder",
            "api/query:shape",
            "api/query:token-limit",
        ),
    ),
    Defect(
        "token-rate-zero",
        "The answer's token rate is always zero.",
        checks=(
            "api/query:shape",
            "api/query:token-rate",
        ),
    ),
    Defect("duration-in-seconds", "The answer's duration_ms is in seconds.", checks=("api/query:shape",)),
    Defect(
        "duration-too-long",
        "The answer's duration_ms is far longer than the caller waited.",
        checks=("rag/consistency:own-time", "rag/consistency:same"),
    ),
    Defect(
        "memory-leak",
        "Every query keeps eight megabytes for ever.",
        checks=("resources/stack:api-no-leak",),
    ),
)

_ERRORS = (
    Defect(
        "empty-query-accepted",
        "An empty or missing question is answered as if one had been asked.",
        checks=(
            "api/contract:refuses-invalid",
            "api/limits:lengths",
            "api/errors:empty-question",
            "api/errors:envelope",
            "api/errors:missing-question",
        ),
    ),
    Defect(
        "long-query-accepted", "A question that is too long is cut and answered.", checks=("api/errors:long-question",)
    ),
    Defect(
        "unknown-fields-refused",
        "A request with a field that is not known is refused.",
        checks=(
            "api/contract:takes-valid",
            "api/limits:types",
            "api/query:unknown-field",
        ),
    ),
    Defect(
        "unicode-fails",
        "A question that is not plain ASCII makes the application fail.",
        checks=(
            "rag/model:whole-characters",
            "rag/model:characters",
            "api/query:unicode",
        ),
    ),
    Defect(
        "broken-json-fails",
        "A request that is not JSON makes the application fail.",
        checks=(
            "api/errors:no-leak",
            "api/errors:not-json",
        ),
    ),
    Defect(
        "validation-422",
        "An invalid request is answered with 422.",
        checks=(
            "api/errors:empty-question",
            "api/errors:token-range",
            "api/errors:wrong-type",
            "streaming/stream:refused-before",
        ),
    ),
    Defect(
        "validation-leaks-trace",
        "The message of a validation error is a stack trace with file paths.",
        checks=("api/errors:no-leak",),
    ),
    Defect(
        "errors-as-200",
        "Errors are answered with status 200.",
        checks=(
            "api/errors:empty-question",
            "api/errors:envelope",
            "api/errors:long-question",
        ),
    ),
    Defect(
        "error-detail-only",
        "Errors have the framework's body instead of the envelope.",
        checks=(
            "api/errors:empty-question",
            "api/errors:envelope",
            "api/errors:long-question",
        ),
    ),
    Defect(
        "envelope-without-request-id",
        "The error envelope has no request_id.",
        checks=(
            "api/errors:envelope",
            "api/errors:request-id",
            "api/openapi:conforms",
        ),
    ),
    Defect(
        "request-id-differs",
        "The request_id in the envelope is not the one in the header.",
        checks=("api/errors:request-id",),
    ),
    Defect(
        "request-id-missing",
        "Answers have no X-Request-ID.",
        checks=(
            "api/errors:request-id",
            "services/gateway:request-id",
        ),
    ),
    Defect(
        "request-id-ignored",
        "The request id that a caller sends is not used.",
        checks=(
            "api/errors:request-id",
            "services/gateway:request-id",
        ),
    ),
    Defect(
        "timestamp-local",
        "The envelope's timestamp is local time in another format.",
        checks=(
            "api/errors:envelope",
            "api/openapi:conforms",
        ),
    ),
    Defect(
        "http-status-disagrees",
        "The envelope's http_status is not the status of the answer.",
        checks=(
            "api/errors:empty-question",
            "api/errors:long-question",
            "api/errors:missing-question",
        ),
    ),
    Defect("suggestion-missing", "The envelope's recovery suggestion is empty.", checks=("api/errors:envelope",)),
    Defect("not-found-html", "An unknown path is answered with an HTML page.", checks=("api/errors:unknown-path",)),
    Defect(
        "wrong-method-404",
        "A method that a path does not take is answered with 404.",
        checks=("api/errors:wrong-method",),
    ),
)

_ROOMS = (
    Defect(
        "ws-without-pong", "A ping on the WebSocket gets no answer.", checks=("api/websocket:dialogue",), layout="B"
    ),
    Defect(
        "ws-bad-json-closes",
        "A frame that is not JSON ends the WebSocket connection.",
        checks=("api/websocket:bad-json",),
        layout="B",
    ),
    Defect(
        "ws-stats-missing",
        "The statistics of the WebSocket rooms are not served.",
        checks=("api/websocket:stats",),
        layout="B",
    ),
    Defect(
        "docs-search-any-limit",
        "The document search takes a limit of any size.",
        checks=("api/websocket:docs-search-limit",),
        layout="B",
    ),
    Defect(
        "ws-stats-frozen",
        "The statistics of the WebSocket rooms are always zero.",
        checks=("api/websocket:counts",),
        layout="B",
    ),
    Defect("ws-broadcast-lost", "A broadcast reaches nobody.", checks=("api/websocket:broadcast",), layout="B"),
)

API: tuple[Defect, ...] = (
    *_HEALTH,
    *_DOCUMENTATION,
    *_ANSWERS,
    *_ERRORS,
    *_ROOMS,
    *MODEL,
    *WATCHING,
)
"""All of them."""
