"""Defects of the model server and of its embeddings."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

MODEL: tuple[Defect, ...] = (
    Defect(
        "model-bypassed",
        "Queries are answered with the passages found, without the model.",
        checks=("dependencies/chain:api-uses-model",),
    ),
    Defect(
        "model-empty-answer",
        "The model server answers with no tokens.",
        checks=(
            "rag/ready:ladder",
            "api/query:answers",
            "streaming/stream:tokens-counted",
        ),
    ),
    Defect(
        "model-invalid-utf8",
        "The model server answers in Latin-1, which is not UTF-8.",
        checks=("rag/ready:ladder", "api/query:answers", "streaming/stream:order"),
    ),
    Defect(
        "model-generation-fails",
        "The model server says that it is well, and every generation fails.",
        checks=(
            "api/query:answers",
            "streaming/stream:order",
        ),
    ),
    Defect(
        "model-unstoppable",
        "The model server generates on when its caller has left.",
        checks=("streaming/cleanup:generation-stops",),
    ),
    Defect("model-slow", "The model server takes 25 times as long for each token.", checks=("api/query:answers",)),
    Defect(
        "embedding-dimension",
        "The embedding model makes vectors of 768 numbers for an index of 384.",
        checks=(
            "rag/ready:ladder",
            "dependencies/chain:embedding-dimension",
        ),
    ),
)
"""All of them."""
