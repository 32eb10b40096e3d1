"""The commands of docs/walkthrough.md, run in their order; `python -m` this module writes their output there.

The page holds files (blocks of YAML, each with its path in the first line) and commands (blocks `console`). `Bookshop`
carries out what `docker compose` would, a shell everything else.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.docs.documents import DOCS, TRANSCRIPT
from tests.e2e.tool import TOOL, environment
from tests.extra.walkthrough.stack import SECRETS, Bookshop, bookshop, install

PAGE = DOCS / TRANSCRIPT
COLUMNS = "96"
_BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CHANGING = re.compile(
    r"(?<=^run ).*(?=, xnai-validate)"  # when and where
    r"|(?<=/orders/)[0-9a-f-]{36}"
    r"|\battempt \d+|\b\d+(\.\d+)? (ms|s|min)\b",
    re.MULTILINE,
)


def commands(text: str) -> list[str]:
    """The commands of a page, in order."""
    return [line[2:] for _, block in _BLOCK.findall(text) for line in block.splitlines() if line.startswith("$ ")]


def carry_out(text: str, shop: Bookshop) -> str:
    """Write the files and run the commands of a page; return the page with what the commands print now."""

    def block(match: re.Match[str]) -> str:
        language, content = match.groups()
        if language == "yaml":
            path = shop.home / content.partition("\n")[0].removeprefix("# ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            return match.group()
        lines = [line for line in content.splitlines() if line.startswith("$ ")]
        return "```console\n" + "".join(f"{line}\n{_run(line[2:], shop)}" for line in lines) + "```"

    (shop.home / ".env").write_text("".join(f"{name}={value}\n" for name, value in SECRETS.items()), encoding="utf-8")
    return _BLOCK.sub(block, text)


def unchanging(text: str) -> str:
    """The text without times, dates and ids of runs, and the blanks that align them."""
    return re.sub(r" +(?=#)", " ", _CHANGING.sub("#", text))


def _run(command: str, shop: Bookshop) -> str:
    words = command.split()
    if words[:2] == ["docker", "compose"]:
        if words[2] == "up":
            shop.up()
        else:
            {"stop": shop.stop, "start": shop.start}[words[2]](words[3])
        return ""
    home = shop.home
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=home,
        env={
            **environment(home / ".state"),
            "COLUMNS": COLUMNS,
            "PATH": f"{Path(TOOL).parent}:{os.environ['PATH']}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    return done.stdout.strip("\n").replace(str(home), ".") + "\n"


def main() -> None:
    """Write the output of the commands into the page."""
    install()
    with bookshop() as shop:
        PAGE.write_text(carry_out(PAGE.read_text(encoding="utf-8"), shop), encoding="utf-8")
    sys.stdout.write(f"{PAGE} is written\n")


if __name__ == "__main__":
    main()
