"""The pictures of the documentation: `python -m manual.pictures`, or `make pictures`.

A run of the embedded stack with a defect is shown as a terminal shows it (an SVG) and as the page of its report; a run
with three defects as its integration report (both PNG, by a headless Chromium).
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
THREE_DEFECTS = (
    *("run", "phase4.1", "--demo", "--only", "services/*", "--only", "vikunja/*"),
    *("--defect", "docs-down", "--defect", "vikunja-no-version", "--defect", "ui-500"),
)
"""A run with causes of several severities."""
COLUMNS = 96
WIDTH = 1100
"""Width of a page, in pixels."""
HEIGHTS = {"report": 752, "integration": 725}
"""Page -> its height in pixels, which ends between two of its parts."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Make the pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        PICTURES.mkdir(exist_ok=True)
        (PICTURES / "terminal.svg").write_text(terminal_picture(command(folder, RUN, 1)), encoding="utf-8")
        screenshot(folder / "report.html")
        command(folder, THREE_DEFECTS, 1)
        command(folder, ("report", "--integration", "-o", "integration.html"), 0)
        screenshot(folder / "integration.html")
    for path in sorted(PICTURES.iterdir()):
        sys.stdout.write(f"{path.relative_to(PICTURES.parent.parent)} {path.stat().st_size} bytes\n")


def command(folder: Path, words: tuple[str, ...], code: int) -> str:
    """Run a command in the folder and return what it prints, with its colours. Exits unless it ends with `code`."""
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "XNAI_VALIDATE_STATE": str(folder / "state")}
    program = [sys.executable, "-m", "xnai_validate", *words, "--color"]
    done = subprocess.run(
        program, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    if done.returncode != code:
        raise SystemExit(f"{' '.join(words)} ended with exit code {done.returncode}:\n{done.stderr}")
    return done.stdout


def terminal_picture(report: str) -> str:
    """Return a terminal with the command and its report, as an SVG that loads no font."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ " + shlex.join(["xnai-validate", *RUN]), style="bold"))
    console.print(Text.from_ansi(report.rstrip("\n")))
    svg = console.export_svg(title="xnai-validate", theme=MONOKAI, unique_id="terminal")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def screenshot(page: Path) -> None:
    """Write the top of a page as a PNG of the same name."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"no browser found; install one of {', '.join(BROWSERS)}")
    size, picture = f"--window-size={WIDTH},{HEIGHTS[page.stem]}", PICTURES / f"{page.stem}.png"
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size, f"--screenshot={picture}")
    profile = f"--user-data-dir={page.parent / 'browser'}"
    subprocess.run([browser, *flags, profile, page.as_uri()], capture_output=True, timeout=120, check=True)


if __name__ == "__main__":
    main()
