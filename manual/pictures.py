"""The pictures of the documentation: `python -m manual.pictures`, or `make pictures`.

A run of the embedded stack with a defect is shown as a terminal shows it (an SVG) and as the page of its report (a PNG,
by a headless Chromium).
"""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
RUN = ("run", "phase4.1", "--only", "services/*", "--demo", "--defect", "docs-down", "-o", "report.html")
"""A run with one failure, which blocks five checks."""
COLUMNS = 96
PAGE = (1100, 820)
"""Width and height of the page, in pixels."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Make both pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        PICTURES.mkdir(exist_ok=True)
        (PICTURES / "terminal.svg").write_text(terminal_picture(report(folder)), encoding="utf-8")
        screenshot(folder / "report.html", PICTURES / "report.png")
    for path in sorted(PICTURES.iterdir()):
        sys.stdout.write(f"{path.relative_to(PICTURES.parent.parent)} {path.stat().st_size} bytes\n")


def report(folder: Path) -> str:
    """Run, write `report.html` into the folder, and return the terminal's report with its colours."""
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "XNAI_VALIDATE_STATE": str(folder / "state")}
    command = [sys.executable, "-m", "xnai_validate", *RUN, "--color"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode != 1:
        raise SystemExit(f"the run ended with exit code {done.returncode}:\n{done.stderr}")
    return done.stdout


def terminal_picture(report: str) -> str:
    """Return a terminal with the command and its report, as an SVG that loads no font."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ " + shlex.join(["xnai-validate", *RUN]), style="bold"))
    console.print(Text.from_ansi(report.rstrip("\n")))
    svg = console.export_svg(title="xnai-validate", theme=MONOKAI, unique_id="terminal")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def screenshot(page: Path, picture: Path) -> None:
    """Write the top of a page as a PNG."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"no browser found; install one of {', '.join(BROWSERS)}")
    size = f"--window-size={PAGE[0]},{PAGE[1]}"
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size, f"--screenshot={picture}")
    profile = f"--user-data-dir={page.parent / 'browser'}"
    subprocess.run([browser, *flags, profile, page.as_uri()], capture_output=True, timeout=120, check=True)


if __name__ == "__main__":
    main()
