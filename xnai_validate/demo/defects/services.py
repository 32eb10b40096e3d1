"""Defects of the user interface, the documentation, Vikunja and the voice service."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

SERVICES: tuple[Defect, ...] = (
    Defect("ui-empty", "The user interface answers 200 with an empty page."),
    Defect("ui-error-page", "The user interface answers 200 with a stack trace."),
    Defect("ui-500", "The user interface answers 500."),
    Defect("ui-asset-missing", "The script of the user interface's page does not exist."),
    Defect("ui-plain-text", "The page of the user interface is sent as plain text."),
    Defect("ui-slow", "The user interface takes over two seconds."),
    Defect("ui-not-connected", "The user interface has lost the API and says so in its settings."),
    Defect("docs-no-search", "The documentation has no search index."),
    Defect("docs-empty-search", "The search index of the documentation is empty."),
    Defect("docs-listing", "The documentation was not built: a list of files is served instead."),
    Defect("docs-sitemap-broken", "The sitemap of the documentation is not XML."),
    Defect("docs-dead-links", "A page named in the sitemap does not exist."),
    Defect("vikunja-no-version", "Vikunja's info has no version."),
    Defect("vikunja-info-private", "Vikunja's info demands a token."),
    Defect("vikunja-info-slow", "Vikunja's info takes over two seconds."),
    Defect("vikunja-public-tasks", "Tasks are shown without a token."),
    Defect("vikunja-any-token", "Any bearer token is accepted."),
    Defect("vikunja-refuses-token", "The stack's own token is refused."),
    Defect("vikunja-html-401", "Without a token a login page comes back with 200."),
    Defect("vikunja-tasks-500", "The list of tasks fails with 500."),
    Defect("vikunja-no-pagination", "The list of tasks has no pagination headers."),
    Defect("vikunja-forgets", "A created task is acknowledged and never listed."),
    Defect("vikunja-wrong-database", "Vikunja keeps its keys in the API's database."),
    Defect("voice-empty-text", "Speech is recognised as an empty text."),
    Defect("voice-wrong-text", "Every recording is recognised as the same words."),
    Defect("voice-silence", "Synthesised speech is silence."),
    Defect("voice-truncated", "Synthesised speech is shorter than its header says."),
    Defect("voice-fixed-length", "Synthesised speech is as long for a paragraph as for a word."),
    Defect("voice-no-size-limit", "Recordings above 10 MB are accepted."),
    Defect("voice-no-rate-limit", "A session may ask without limit."),
    Defect("voice-no-retry-after", "A refusal for too many requests does not say when to come back."),
    Defect("voice-accepts-anything", "What is no recording is recognised all the same."),
    Defect("voice-speaks-nothing", "An empty text is synthesised instead of refused."),
    Defect("voice-health-lies", "Health says that the models are loaded while recognition answers 503."),
    Defect("voice-session-forever", "Voice sessions in Redis never expire."),
    Defect("voice-no-session", "Voice sessions are not kept in Redis."),
)
