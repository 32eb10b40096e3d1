"""Defects of the user interface, the documentation, Vikunja and the voice service."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

SERVICES: tuple[Defect, ...] = (
    Defect(
        "ui-empty",
        "The user interface answers 200 with an empty page.",
        checks=(
            "services/answers:ui-page",
            "services/gateway:routes-ui",
        ),
    ),
    Defect(
        "ui-error-page",
        "The user interface answers 200 with a stack trace.",
        checks=(
            "services/answers:ui-no-trace",
            "services/answers:ui-page",
            "services/gateway:routes-ui",
        ),
    ),
    Defect(
        "ui-500",
        "The user interface answers 500.",
        checks=(
            "services/answers:ui-no-trace",
            "services/answers:ui-page",
            "services/gateway:no-framing",
            "services/gateway:routes-ui",
        ),
    ),
    Defect(
        "ui-asset-missing",
        "The script of the user interface's page does not exist.",
        checks=("services/answers:ui-asset",),
    ),
    Defect(
        "ui-plain-text",
        "The page of the user interface is sent as plain text.",
        checks=(
            "services/answers:ui-page",
            "services/gateway:routes-ui",
        ),
    ),
    Defect("ui-slow", "The user interface takes over two seconds.", checks=("services/answers:ui-page",)),
    Defect(
        "ui-not-connected",
        "The user interface has lost the API and says so in its settings.",
        checks=("dependencies/chain:ui-reaches-api",),
    ),
    Defect("docs-no-search", "The documentation has no search index.", checks=("services/answers:docs-search",)),
    Defect(
        "docs-empty-search", "The search index of the documentation is empty.", checks=("services/answers:docs-search",)
    ),
    Defect(
        "docs-listing",
        "The documentation was not built: a list of files is served instead.",
        checks=("services/answers:docs-page",),
    ),
    Defect(
        "docs-sitemap-broken", "The sitemap of the documentation is not XML.", checks=("services/answers:docs-sitemap",)
    ),
    Defect(
        "docs-dead-links", "A page named in the sitemap does not exist.", checks=("services/answers:docs-inner-page",)
    ),
    Defect(
        "vikunja-no-version",
        "Vikunja's info has no version.",
        checks=(
            "services/gateway:routes-vikunja",
            "vikunja/vikunja:info",
        ),
    ),
    Defect(
        "vikunja-info-private",
        "Vikunja's info demands a token.",
        checks=(
            "services/gateway:routes-vikunja",
            "vikunja/vikunja:info",
            "vikunja/vikunja:quick",
        ),
    ),
    Defect("vikunja-info-slow", "Vikunja's info takes over two seconds.", checks=("vikunja/vikunja:quick",)),
    Defect(
        "vikunja-public-tasks",
        "Tasks are shown without a token.",
        checks=(
            "vikunja/vikunja:private",
            "vikunja/vikunja:wrong-token",
        ),
    ),
    Defect("vikunja-any-token", "Any bearer token is accepted.", checks=("vikunja/vikunja:wrong-token",)),
    Defect("vikunja-refuses-token", "The stack's own token is refused.", checks=("vikunja/vikunja:tasks",)),
    Defect(
        "vikunja-html-401",
        "Without a token a login page comes back with 200.",
        checks=(
            "vikunja/vikunja:private",
            "vikunja/vikunja:wrong-token",
        ),
    ),
    Defect("vikunja-tasks-500", "The list of tasks fails with 500.", checks=("vikunja/vikunja:tasks",)),
    Defect("vikunja-no-pagination", "The list of tasks has no pagination headers.", checks=("vikunja/vikunja:tasks",)),
    Defect("vikunja-forgets", "A created task is acknowledged and never listed.", checks=("vikunja/vikunja:keeps",)),
    Defect(
        "vikunja-wrong-database",
        "Vikunja keeps its keys in the API's database.",
        checks=("vikunja/vikunja:cache",),
    ),
    Defect(
        "voice-degraded",
        "Speech recognition could not be loaded; voice answers from templates.",
        checks=("voice/voice:health",),
    ),
    Defect("voice-empty-text", "Speech is recognised as an empty text.", checks=("voice/roundtrip:understood",)),
    Defect(
        "voice-wrong-text", "Every recording is recognised as the same words.", checks=("voice/roundtrip:understood",)
    ),
    Defect("voice-silence", "Synthesised speech is silence.", checks=("voice/roundtrip:audible",)),
    Defect("voice-truncated", "Synthesised speech is shorter than its header says.", checks=("voice/roundtrip:whole",)),
    Defect(
        "voice-fixed-length",
        "Synthesised speech is as long for a paragraph as for a word.",
        checks=(
            "voice/roundtrip:grows",
            "voice/roundtrip:understood",
            "voice/voice:speaks",
        ),
    ),
    Defect("voice-no-size-limit", "Recordings above 10 MB are accepted.", checks=("voice/roundtrip:oversize",)),
    Defect("voice-no-rate-limit", "A session may ask without limit.", checks=("voice/voice:rate-limit",)),
    Defect(
        "voice-no-retry-after",
        "A refusal for too many requests does not say when to come back.",
        checks=("voice/voice:rate-limit",),
    ),
    Defect(
        "voice-accepts-anything", "What is no recording is recognised all the same.", checks=("voice/voice:not-sound",)
    ),
    Defect(
        "voice-speaks-nothing", "An empty text is synthesised instead of refused.", checks=("voice/voice:empty-text",)
    ),
    Defect(
        "voice-health-lies",
        "Health says that the models are loaded while recognition answers 503.",
        checks=("voice/roundtrip:accepted",),
    ),
    Defect("voice-session-forever", "Voice sessions in Redis never expire.", checks=("voice/voice:session-expires",)),
    Defect("voice-no-session", "Voice sessions are not kept in Redis.", checks=("voice/voice:session-expires",)),
)
