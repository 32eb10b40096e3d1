"""Checks of answers from documents: are they grounded, are they the same on every way, what is taken and refused.

Where the canary questions come from: `canaries`, a var of the profile, is a list of `{question, expect, source,
document}`. A question is one that your documents answer; `expect` is a phrase that the answer must contain, `source`
the name under which the document is cited, `document` its text, or the passage of it that answers. Replace them by
your own, in a profile that extends `phase4.2` or one by one: `--var canaries.0.question="..."`.
"""

from xnai_validate.checkers.rag.consistency import consistency
from xnai_validate.checkers.rag.grounding import grounding
from xnai_validate.checkers.rag.limits import limits

__all__ = ["consistency", "grounding", "limits"]
