"""The OpenAPI document of the API, and its pages."""

from __future__ import annotations

from tests.field.settings import VERSION, Settings

PAGE = """<!doctype html>
<html><head><title>A garden's assistant - {title}</title></head>
<body><rapi-doc spec-url="/openapi.json"></rapi-doc></body></html>
"""


def _answer(schema: str, text: str) -> dict[str, object]:
    return {
        "description": text,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


_ERRORS = {code: _answer("Error", "The error envelope") for code in ("400", "404", "405", "500", "503", "504")}
_BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/QueryRequest"}}},
}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_SCHEMAS: dict[str, object] = {
    "QueryRequest": {
        "type": "object",
        "required": ["query"],
        "properties": {
            "query": {"type": "string", "minLength": 1, "maxLength": 2000},
            "use_rag": {"type": "boolean", "default": True},
            "max_tokens": {"type": "integer", "minimum": 1, "maximum": 2048, "default": 512},
            "temperature": {"type": "number", "minimum": 0, "maximum": 2, "default": 0.7},
            "top_p": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.95},
        },
    },
    "QueryResponse": {
        "type": "object",
        "required": ["response", "sources", "tokens_generated", "duration_ms", "token_rate_tps"],
        "properties": {
            "response": {"type": "string"},
            "sources": _TEXTS,
            "tokens_generated": {"type": "integer"},
            "duration_ms": {"type": "number"},
            "token_rate_tps": {"type": "number"},
        },
    },
    "Health": {
        "type": "object",
        "required": ["status", "version", "memory_gb", "vectorstore_loaded", "components"],
        "properties": {
            "status": {"enum": ["healthy", "degraded", "partial"]},
            "version": {"type": "string"},
            "memory_gb": {"type": "number"},
            "vectorstore_loaded": {"type": "boolean"},
            "components": {"type": "object", "additionalProperties": {"type": ["boolean", "integer", "string"]}},
        },
    },
    "Search": {
        "type": "object",
        "required": ["query", "results", "total"],
        "properties": {
            "query": {"type": "string"},
            "results": {"type": "array", "items": {"type": "object"}},
            "total": {"type": "integer"},
        },
    },
    "Error": {
        "type": "object",
        "required": ["error_code", "message", "category", "http_status", "timestamp", "request_id"],
        "properties": {
            "error_code": {"type": "string"},
            "message": {"type": "string"},
            "category": {"type": "string"},
            "http_status": {"type": "integer"},
            "timestamp": {"type": "string", "format": "date-time"},
            "details": {"type": "object"},
            "recovery_suggestion": {"type": "string"},
            "request_id": {"type": "string", "pattern": "^req_"},
        },
    },
}


_SEARCH = {
    "operationId": "search",
    "parameters": [
        {"name": "query", "in": "query", "required": True, "schema": {"type": "string", "minLength": 1}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 50, "default": 10}},
    ],
    "responses": {"200": _answer("Search", "The documents")} | _ERRORS,
}


def document(settings: Settings) -> dict[str, object]:
    """Return the document for the API of a layout."""
    prefix = settings.prefix
    stream = {"description": "Events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    search = {f"{prefix}/docs/search": {"get": _SEARCH}} if settings.layout == "B" else {}
    return {
        "openapi": "3.1.0",
        "info": {"title": "A garden's assistant", "version": VERSION},
        "paths": {
            f"{prefix}/health": {
                "get": {"operationId": "health", "responses": {"200": _answer("Health", "The report")} | _ERRORS}
            },
            f"{prefix}/query": {
                "post": {
                    "operationId": "query",
                    "requestBody": _BODY,
                    "responses": {"200": _answer("QueryResponse", "The answer")} | _ERRORS,
                }
            },
            f"{prefix}/stream": {
                "post": {"operationId": "stream", "requestBody": _BODY, "responses": {"200": stream} | _ERRORS}
            },
            **search,
        },
        "components": {"schemas": _SCHEMAS},
    }
