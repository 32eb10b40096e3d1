"""The requests and responses of the application, as its OpenAPI document describes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue


class QueryRequest(BaseModel):
    """A question. Fields that are not known are ignored."""

    query: str = Field(min_length=1, max_length=2000, description="The question, 1 to 2000 characters.")
    use_rag: bool = Field(default=True, description="Whether to answer from the documents.")
    max_tokens: int = Field(default=512, ge=1, le=2048, description="The most tokens the answer may have.")
    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=0.95, ge=0, le=1)


class QueryResponse(BaseModel):
    """The answer to a question; times in milliseconds of the server's own clock."""

    response: str
    sources: list[str] = Field(description="Names of the documents used, each once.")
    tokens_generated: int = Field(ge=0)
    duration_ms: float = Field(ge=0)
    token_rate_tps: float = Field(ge=0, description="Tokens a second while the model worked.")


class Components(BaseModel):
    """The parts of the application: whether each works."""

    model_config = ConfigDict(extra="forbid")

    embeddings: bool
    vectorstore: bool
    llm: bool
    circuit_breakers_healthy: bool
    health_memory: bool
    health_redis: bool


class TieredComponents(Components):
    """The parts of the application, and how far it is degraded."""

    degradation_tier: int = Field(ge=1, le=4)
    tier_name: Literal["Normal", "Constrained", "Critical", "Failover"]


class Health(BaseModel):
    """The application's health; `memory_gb` is the memory of the host that is in use, in GiB."""

    status: Literal["healthy", "degraded", "partial"]
    version: str = Field(min_length=1)
    memory_gb: float = Field(ge=0)
    vectorstore_loaded: bool
    components: Components


class TieredHealth(Health):
    """The application's health in a stack with degradation tiers."""

    components: TieredComponents


class ErrorEnvelope(BaseModel):
    """Every error of the application."""

    error_code: str
    message: str
    category: str
    http_status: int = Field(ge=400, le=599)
    timestamp: str = Field(description="ISO 8601, UTC.", json_schema_extra={"format": "date-time"})
    details: dict[str, JsonValue]
    recovery_suggestion: str
    request_id: str = Field(description="The same as the header X-Request-ID.")


class DocumentHit(BaseModel):
    """A passage that resembles the query."""

    source: str
    title: str
    snippet: str
    score: float


class DocumentSearch(BaseModel):
    """The result of a search of the documents, best first."""

    query: str
    results: list[DocumentHit]
    total: int = Field(ge=0)


class Concept(BaseModel):
    """One subject of the documents."""

    name: str
    description: str
    source: str


class Concepts(BaseModel):
    """All subjects of the documents."""

    concepts: list[Concept]
    total: int = Field(ge=0)


class RoomStats(BaseModel):
    """The WebSocket rooms and the agents in them."""

    total_connections: int = Field(ge=0)
    total_rooms: int = Field(ge=0)
    rooms: dict[str, Annotated[int, Field(ge=1)]] = Field(description="Room to the number of connections.")
    agents_connected: list[str]
