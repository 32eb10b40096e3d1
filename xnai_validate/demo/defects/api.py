"""Defects of the application and of the model server behind it."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

_HEALTH = (
    Defect("health-always-healthy", "Health says healthy whatever is down: it looks at nothing."),
    Defect("health-status-stuck", "Health says degraded although every component works."),
    Defect("health-status-optimistic", "Health says healthy while it lists a component that does not work."),
    Defect("health-field-missing", "Health lacks memory_gb."),
    Defect("health-component-strings", "Health gives its components as text instead of booleans."),
    Defect("health-version-empty", "Health has an empty version."),
    Defect("health-memory-bytes", "Health gives memory_gb in bytes."),
    Defect("health-slow", "Health takes three seconds."),
    Defect("health-hangs-with-model", "Health waits for a model server that hangs."),
    Defect("health-llm-unprobed", "Health says that the model works without asking it."),
    Defect("health-redis-unprobed", "Health says that Redis works although it does not."),
    Defect(
        "health-fails-when-degraded", "Health answers 500 as soon as one component is down, and so takes the rest down."
    ),
    Defect("health-vectorstore-lie", "Health says that the vector store is loaded although it is empty."),
    Defect("health-key-missing", "Health does not write the key xnai_health_check."),
    Defect("health-key-without-ttl", "The key xnai_health_check never expires."),
    Defect("health-tier-missing", "Health does not say the degradation tier.", layout="B"),
    Defect("vectorstore-empty", "No document was indexed; answers come without sources."),
)

_DOCUMENTATION = (
    Defect("docs-disabled", "The API's documentation pages answer 404."),
    Defect("openapi-missing", "The OpenAPI document answers 404."),
    Defect("openapi-operation-missing", "The OpenAPI document does not know the stream."),
    Defect("openapi-lies", "The OpenAPI document promises a field that is never sent, and another type."),
    Defect("docs-search-unlimited", "The document search ignores its limit and finds everything.", layout="B"),
)

_ANSWERS = (
    Defect("answers-canned", "Every question gets the same polite sentence."),
    Defect("answers-crossed", "Each caller gets the answer to the question before."),
    Defect("answer-empty", "The answer's text is empty."),
    Defect("answer-field-renamed", "The answer's text stands in another field."),
    Defect("sources-missing", "Answers from documents name no sources."),
    Defect("sources-repeated", "Sources are named twice."),
    Defect("sources-invented", "The source named is a document that does not exist."),
    Defect("rag-off-cites", "Answers without retrieval name a source."),
    Defect("max-tokens-ignored", "The answer is as long as it likes, whatever max_tokens says."),
    Defect("tokens-miscounted", "The answer says that it has no tokens."),
    Defect("token-rate-zero", "The answer's token rate is always zero."),
    Defect("duration-in-seconds", "The answer's duration_ms is in seconds."),
    Defect("duration-too-long", "The answer's duration_ms is far longer than the caller waited."),
    Defect("query-slow", "Every query takes a second and a half before the model is asked."),
    Defect("query-blocks-everyone", "A query stops the whole process for 300 ms, other callers included."),
    Defect("memory-leak", "Every query keeps two megabytes for ever."),
)

_ERRORS = (
    Defect("empty-query-accepted", "An empty or missing question is answered as if one had been asked."),
    Defect("long-query-accepted", "A question that is too long is cut and answered."),
    Defect("unknown-fields-refused", "A request with a field that is not known is refused."),
    Defect("unicode-fails", "A question that is not plain ASCII makes the application fail."),
    Defect("broken-json-fails", "A request that is not JSON makes the application fail."),
    Defect("validation-422", "An invalid request is answered with 422."),
    Defect("validation-leaks-trace", "The message of a validation error is a stack trace with file paths."),
    Defect("errors-as-200", "Errors are answered with status 200."),
    Defect("error-detail-only", "Errors have the framework's body instead of the envelope."),
    Defect("envelope-without-request-id", "The error envelope has no request_id."),
    Defect("request-id-differs", "The request_id in the envelope is not the one in the header."),
    Defect("request-id-missing", "Answers have no X-Request-ID."),
    Defect("request-id-ignored", "The request id that a caller sends is not used."),
    Defect("timestamp-local", "The envelope's timestamp is local time in another format."),
    Defect("http-status-disagrees", "The envelope's http_status is not the status of the answer."),
    Defect("suggestion-missing", "The envelope's recovery suggestion is empty."),
    Defect("not-found-html", "An unknown path is answered with an HTML page."),
    Defect("wrong-method-404", "A method that a path does not take is answered with 404."),
    Defect("circuit-open-500", "A call that a breaker refuses is answered with 500."),
    Defect("retry-after-missing", "A call that a breaker refuses is answered without Retry-After."),
)

_METRICS = (
    Defect("metrics-missing", "The API's own /metrics answers 404.", layout="B"),
    Defect("metrics-counter-frozen", "The counter of requests stands still."),
    Defect("metrics-counter-twice", "The counter of requests moves by two for each."),
    Defect("metrics-queries-frozen", "The counters of queries and tokens stand still."),
    Defect("metrics-errors-frozen", "The counter of errors stands still."),
    Defect("metrics-content-type", "Metrics are sent as JSON by their content type."),
    Defect("metrics-histogram-missing", "There is no latency histogram."),
    Defect("metrics-breaker-missing", "The states of the breakers are not among the metrics."),
    Defect("metrics-unbounded-label", "Every request makes a time series of its own."),
)

_BREAKERS = (
    Defect("breaker-never-opens", "Breakers stay closed however often a service fails."),
    Defect("breaker-opens-late", "Breakers open after three times as many failures as promised."),
    Defect("breaker-never-recovers", "A breaker that has opened stays open for hours."),
    Defect("breaker-closes-at-once", "A half-open breaker closes after one success."),
    Defect("breaker-stays-half-open", "A half-open breaker never closes again."),
    Defect("breaker-never-forgives", "A success does not reset the count of failures."),
    Defect("breaker-open-ignored", "An open breaker lets all calls through."),
    Defect("breaker-ignores-timeouts", "Time-outs are not counted as failures."),
    Defect("breaker-serialises-calls", "Calls under a breaker run one after another."),
    Defect("breaker-memory-only", "The state of a breaker is written once and then kept in memory."),
    Defect("breaker-forgets-on-restart", "A restart of the API closes every breaker."),
    Defect("breaker-keys-missing", "The breakers have no keys in Redis."),
    Defect("breaker-key-not-json", "The keys of the breakers hold something that is not JSON."),
    Defect("breaker-key-without-ttl", "The keys of the breakers never expire."),
    Defect("breaker-key-short-ttl", "The keys of the breakers expire before the recovery time is over."),
)

_MONITORING = (
    Defect("monitor-asleep", "The health monitor looks at nothing."),
    Defect("service-health-stuck", "The health of the services is not among the metrics."),
    Defect("alerts-missing", "Nobody is told when a service goes down."),
    Defect("alerts-twice", "Every alert is sent twice."),
    Defect("recovery-never-begins", "A service that stays down is never recovered."),
    Defect("recovery-silent", "Nobody is told when a service is up again."),
    Defect("audit-trail-missing", "Answers leave no entry in the audit trail.", layout="B"),
    Defect("queries-unrecorded", "Queries leave no entries in xnai_queries.", layout="B"),
    Defect("degradation-unrecorded", "The degradation tier is not recorded.", layout="B"),
)

_ROOMS = (
    Defect("ws-without-pong", "A ping on the WebSocket gets no answer.", layout="B"),
    Defect("ws-bad-json-closes", "A frame that is not JSON ends the WebSocket connection.", layout="B"),
    Defect("ws-stats-frozen", "The statistics of the WebSocket rooms are always zero.", layout="B"),
    Defect("ws-broadcast-lost", "A broadcast reaches nobody.", layout="B"),
)

_MODEL = (
    Defect("model-empty-answer", "The model server answers with no tokens."),
    Defect("model-generation-fails", "The model server says that it is well, and every generation fails."),
    Defect("model-unstoppable", "The model server generates on when its caller has left."),
    Defect("model-slow", "The model server takes 25 times as long for each token."),
    Defect("embedding-dimension", "The embedding model makes vectors of 768 numbers for an index of 384."),
)

API: tuple[Defect, ...] = (
    *_HEALTH,
    *_DOCUMENTATION,
    *_ANSWERS,
    *_ERRORS,
    *_METRICS,
    *_BREAKERS,
    *_MONITORING,
    *_ROOMS,
    *_MODEL,
)
"""All of them."""
