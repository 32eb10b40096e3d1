"""Defects of whole processes: parts that hang, die or do not come back."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

PROCESS: tuple[Defect, ...] = (
    Defect("api-crash-loop", "The API dies a few seconds after each start and is started again."),
    Defect("api-not-restarted", "The API has no restart policy: once it has crashed it stays away."),
    Defect("metrics-port-closed", "The port of the metrics server is not listened on."),
    Defect("redis-down", "Redis is not running."),
    Defect("api-down", "The API is not running."),
    Defect("gateway-down", "The gateway is not running."),
    Defect("llm-down", "The model server is not running."),
    Defect("ui-down", "The user interface is not running."),
    Defect("docs-down", "The documentation server is not running."),
    Defect("vikunja-down", "Vikunja is not running."),
    Defect("voice-down", "The voice service is not running."),
    Defect("api-hangs", "The API accepts connections and never answers."),
    Defect("gateway-hangs", "The gateway accepts connections and never answers."),
    Defect("llm-hangs", "The model server accepts connections and never answers."),
    Defect("ui-hangs", "The user interface accepts connections and never answers."),
    Defect("docs-hangs", "The documentation server accepts connections and never answers."),
    Defect("vikunja-hangs", "Vikunja accepts connections and never answers."),
    Defect("voice-hangs", "The voice service accepts connections and never answers."),
)
