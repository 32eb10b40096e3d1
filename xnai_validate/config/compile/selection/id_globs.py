"""Globs on full ids of checks, in which the brackets of a check with a matrix stand for themselves too."""

from __future__ import annotations

import re
from fnmatch import translate

GLOB_CAP = 500
"""Characters of a glob."""


def id_pattern(glob: str) -> re.Pattern[str]:
    """The pattern of a glob: `db/ready:ping[orders]` matches that id, and `[ab]` matches a or b as well as `[ab]`.

    A glob of more than GLOB_CAP characters is taken literally: translating many brackets would take minutes.
    """
    if len(glob) > GLOB_CAP:
        return re.compile(re.escape(glob) + r"\Z")
    return re.compile(f"{translate(glob)}|{translate(glob.replace('[', '[[]'))}" if "[" in glob else translate(glob))
