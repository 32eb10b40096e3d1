"""Globs on full ids of checks, in which the brackets of a check with a matrix stand for themselves too."""

from __future__ import annotations

import re
from fnmatch import translate

GLOB_CAP = 500
"""Characters of a glob."""


def id_pattern(glob: str) -> re.Pattern[str]:
    """The pattern of a glob: `db/ready:ping[orders]` matches that id, and `[ab]` also one of two letters.

    A glob that is longer than any id matches no id but itself: translating many brackets would take minutes.
    """
    if len(glob) > GLOB_CAP:
        return re.compile(re.escape(glob))
    return re.compile(f"{translate(glob)}|{translate(glob.replace('[', '[[]'))}" if "[" in glob else translate(glob))
