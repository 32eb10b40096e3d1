"""`python -m bench.samples NAME COUNT`: record runs of the loads of `noise` until the recording NAME has COUNT of them.

Each run starts the embedded stack anew, as a build would, and the tool records it itself (`run --record`).
"""

from __future__ import annotations

import lzma
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.samples.stored import HERE, path_of, recorded_runs
from bench.static import static_server


def main() -> int:
    """Record, and report after each run how busy the machine is."""
    name, count = sys.argv[1], int(sys.argv[2])
    kept = path_of(name)
    with tempfile.TemporaryDirectory() as folder, static_server() as port:
        recorded = Path(folder) / "baselines" / "noise.json"
        env = {**os.environ, "XNAI_VALIDATE_STATE": folder}
        command = [sys.executable, "-m", "xnai_validate", "run", "noise", "--path", str(HERE), "--demo", "--quiet"]
        command += ["--target", f"static=http://127.0.0.1:{port}"]
        recorded.parent.mkdir()
        known = 0
        if kept.exists():
            recorded.write_bytes(lzma.decompress(kept.read_bytes()))
            known = len(recorded_runs(name))
        for number in range(known, count):
            subprocess.run([*command, "--record", "noise"], env=env, stdout=subprocess.DEVNULL, check=False)
            sys.stderr.write(f"{number + 1} of {count}, load {os.getloadavg()[0]:.1f}\n")
            if recorded.exists():  # after every run, so that what is there is not lost with the rest
                kept.write_bytes(lzma.compress(recorded.read_bytes(), preset=9 | lzma.PRESET_EXTREME))
    return 0


if __name__ == "__main__":
    sys.exit(main())
