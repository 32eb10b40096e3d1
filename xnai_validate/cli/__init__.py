"""The command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that `sys.argv` names and exit with its code."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Asked by scripts, and answered before anything heavy is imported.
        from xnai_validate import __version__

        sys.stdout.write(f"xnai-validate {__version__}\n")
        return
    import gc

    gc.disable()  # nothing that is imported is garbage; a run switches it on again
    from xnai_validate.cli.app import app

    app(prog_name="xnai-validate")
