"""Defects of whole processes: parts that hang, die or do not come back."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

PROCESS: tuple[Defect, ...] = (
    Defect(
        "api-crash-loop",
        "The API dies a few seconds after each start and is started again.",
        checks=("resources/stack:api-alive",),
    ),
    Defect(
        "metrics-port-closed", "The port of the metrics server is not listened on.", checks=("services/ports:metrics",)
    ),
    Defect(
        "redis-down",
        "Redis is not running.",
        checks=(
            "services/ports:redis",
            "services/answers:api-health",
        ),
    ),
    Defect(
        "api-down",
        "The API is not running.",
        checks=(
            "services/ports:api",
            "services/ports:metrics",
        ),
    ),
    Defect("gateway-down", "The gateway is not running.", checks=("services/ports:gateway",)),
    Defect(
        "llm-down",
        "The model server is not running.",
        checks=(
            "services/ports:llm",
            "api/query:answers",
        ),
    ),
    Defect("ui-down", "The user interface is not running.", checks=("services/ports:ui",)),
    Defect("docs-down", "The documentation server is not running.", checks=("services/ports:docs",)),
    Defect("vikunja-down", "Vikunja is not running.", checks=("services/ports:vikunja",)),
    Defect("voice-down", "The voice service is not running.", checks=("services/ports:voice",)),
    Defect("llm-loading", "The model server is up and still loads its model.", checks=("services/answers:llm-health",)),
    Defect(
        "api-hangs",
        "The API accepts connections and never answers.",
        checks=(
            "services/answers:api",
            "services/answers:metrics-served",
        ),
    ),
    Defect("gateway-hangs", "The gateway accepts connections and never answers.", checks=("services/answers:gateway",)),
    Defect("llm-hangs", "The model server accepts connections and never answers.", checks=("services/answers:llm",)),
    Defect("ui-hangs", "The user interface accepts connections and never answers.", checks=("services/answers:ui",)),
    Defect(
        "docs-hangs",
        "The documentation server accepts connections and never answers.",
        checks=("services/answers:docs",),
    ),
    Defect("vikunja-hangs", "Vikunja accepts connections and never answers.", checks=("services/answers:vikunja",)),
    Defect(
        "voice-hangs", "The voice service accepts connections and never answers.", checks=("services/answers:voice",)
    ),
)
