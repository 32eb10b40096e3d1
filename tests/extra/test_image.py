"""The image: built from the Dockerfile on a base of Debian's packages, which needs no registry, and run as it is meant.

buildah builds with the network of this host, in a chroot; podman runs the image, by runc.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.tool import TOOL, environment
from tests.packaging.interpreters import ROOT
from tests.ports import free_port

PACKAGES = {"buildah": "buildah", "podman": "podman", "runc": "runc", "mmdebstrap": "mmdebstrap"}
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
"""The certificates that this host trusts, also those of a proxy before the package index; Debian's ca-certificates."""
BASE, IMAGE = "localhost/python", "localhost/xnai-validate"
LIMIT_MB = 250
"""What the image may add to its base."""
SECURE = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")

pytestmark = [pytest.mark.extra, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True)
class Engine:
    """Containers and images in a folder of the test."""

    storage: Path

    def podman(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run podman."""
        how = ("--runtime", "runc", "--cgroup-manager", "cgroupfs")
        return subprocess.run(
            ["podman", *self._where(), *how, *arguments], check=check, capture_output=True, text=True, timeout=300
        )

    def run(self, project: Path, *arguments: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run the image with read-only root and project, in the network of this host."""
        limits = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024")  # no higher than this process may set
        where = ("--network", "host", "--volume", f"{project}:/project:ro")
        return self.podman("run", "--rm", *SECURE, *limits, *where, *options, IMAGE, *arguments, check=False)

    def build(self, folder: Path, name: str, *options: str) -> None:
        """Build the Dockerfile of a folder."""
        command = ["buildah", *self._where(), "bud", "--isolation", "chroot", "--format", "docker", *options]
        built = subprocess.run([*command, "--tag", name, str(folder)], capture_output=True, text=True, timeout=800)
        assert built.returncode == 0, (built.stdout + built.stderr)[-3000:]

    def _where(self) -> tuple[str, ...]:
        roots = ("--root", str(self.storage / "root"), "--runroot", str(self.storage / "run"))
        return (*roots, "--storage-driver", "overlay")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that has the image."""
    missing = [package for package, program in PACKAGES.items() if shutil.which(program) is None]
    if missing:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    home = tmp_path_factory.mktemp("image")
    base = home / "base"
    base.mkdir()
    include = "--include=python3,python3-venv,python-is-python3,ca-certificates"
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=minbase", include, "bookworm", str(base / "base.tar")], check=True
    )
    (base / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")
    built = Engine(home / "engine")
    try:
        built.build(base, BASE)
        built.build(ROOT, IMAGE, "--build-arg", f"BASE={BASE}", "--volume", f"{AUTHORITIES}:{AUTHORITIES}:ro")
        yield built
    finally:
        built.podman("system", "reset", "--force", check=False)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that every user may read, as a checkout is."""
    folder = tmp_path_factory.mktemp("project")
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o755)
    return folder


@pytest.fixture
def stack(project: Path) -> Iterator[str]:
    """The embedded stack on this host; the name of its stack file in the project."""
    file = project / "stack.json"
    process = subprocess.Popen(
        [TOOL, "demo", "--quiet", "--state", str(file)],
        env=environment(project / "state"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline()  # once it is ready
        file.chmod(0o644)
        yield file.name
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_it_runs_without_rights_and_writes_to_its_state_only(engine: Engine, project: Path) -> None:
    """Another user than root, a root that cannot be written; what is bundled is there; the size stays within bounds."""
    script = "id -u; touch /a 2>&1; touch /project/b 2>&1; touch /state/c && echo state; du -sm /opt/xnai-validate"
    looked = engine.run(project, "-c", script, options=("--entrypoint", "sh"))
    uid, root, mounted, state, size = looked.stdout.splitlines()
    assert uid == "10001"
    assert "Read-only file system" in root
    assert "Read-only file system" in mounted
    assert state == "state"
    assert int(size.split()[0]) < LIMIT_MB
    linted = engine.run(project, "lint")
    assert linted.returncode == 0, linted.stderr
    assert "no errors" in linted.stdout + linted.stderr


def test_its_health_check_and_a_run_pass_on_a_healthy_stack(engine: Engine, project: Path, stack: str) -> None:
    """What a container cannot see of its host is skipped with the reason: no check fails or remains unjudged."""
    health = json.loads(engine.podman("image", "inspect", IMAGE).stdout)[0]["Healthcheck"]["Test"]
    assert health[:2] == ["CMD", "xnai-validate"]
    of_stack = ("--env", f"XNAI_VALIDATE_STACK={stack}")
    checked = engine.run(project, *health[2:], options=of_stack)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    ran = engine.run(project, "run", "phase4.1", "--only", "resources/*", "--only", "services/*", options=of_stack)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "cannot be seen from within this container" in ran.stdout


def test_its_health_check_fails_without_a_stack(engine: Engine, project: Path) -> None:
    """Where nothing listens the container is unhealthy."""
    url = f"http://127.0.0.1:{free_port()}"
    target = (f"--target=api={url}", f"--target=redis=redis://127.0.0.1:{free_port()}")
    assert engine.run(project, "run", "preflight", "--quiet", *target).returncode == 1


def test_it_serves(engine: Engine, project: Path, stack: str) -> None:
    """The image has what `serve` needs, and its container becomes healthy."""
    port = free_port()
    name = f"xnai-serve-{port}"
    options = ("--detach", "--name", name, "--env", f"XNAI_VALIDATE_STACK={stack}")
    begun = engine.run(project, "serve", "preflight", "--listen", f"127.0.0.1:{port}", options=options)
    assert begun.returncode == 0, begun.stderr
    try:
        assert engine.podman("healthcheck", "run", name).returncode == 0
    finally:
        engine.podman("stop", name)
