"""The catalogue of defects and the code that has them agree, and a stack with a defect still comes up."""

from __future__ import annotations

import os
import re
import signal
import socket
from pathlib import Path

import httpx
import pytest

import xnai_validate.demo
from tests.demo.serving import eventually
from xnai_validate.demo.defects import CATALOGUE, Defect, merged
from xnai_validate.demo.defects.breakers import BREAKERS
from xnai_validate.demo.defects.gateway import GATEWAY
from xnai_validate.demo.defects.performance import PERFORMANCE
from xnai_validate.demo.defects.process import PROCESS
from xnai_validate.demo.defects.services import SERVICES
from xnai_validate.demo.defects.worker import WORKER
from xnai_validate.demo.processes.stack import EmbeddedStack
from xnai_validate.demo.settings import Layout

CODE = Path(xnai_validate.demo.__file__).parent


USE = re.compile(r"""\bbroken\(\s*"([^"]+)"|"([^"]+)" in defects\b""")
"""How code asks for a defect: of its settings, or of the names themselves before there are settings."""


FAMILY = re.compile(r"""\bbroken\(\s*f"([^"]+)\"""")
"""How code asks for one of several alike: `broken(f"{part.name}-not-restarted")`."""


def _used() -> set[str]:
    """The defects that code asks for, each by its name; those of a family are the ones that the catalogue has."""
    texts = [path.read_text(encoding="utf-8") for path in CODE.rglob("*.py")]
    families = [re.sub(r"{[^}]*}", "[a-z0-9]+", one) for text in texts for one in FAMILY.findall(text)]
    named = {name for text in texts for names in USE.findall(text) for name in names if name}
    return named | {name for name in CATALOGUE if any(re.fullmatch(family, name) for family in families)}


def test_every_defect_of_the_catalogue_is_implemented() -> None:
    """A defect that no part has would be a lie of the catalogue."""
    assert set(CATALOGUE) - _used() == set()


def test_every_defect_in_the_code_is_in_the_catalogue() -> None:
    """A defect that cannot be asked for is dead code."""
    assert _used() - set(CATALOGUE) == set()


def test_defects_are_described_in_one_line_and_named_in_words() -> None:
    """Names are lower-case words joined by hyphens, descriptions one sentence of at most 110 characters."""
    for name, defect in CATALOGUE.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name), name
        assert defect.says.endswith(".") or defect.says.endswith(")."), name
        assert len(defect.says) <= 110, name
        assert "\n" not in defect.says, name


def test_no_two_defects_have_one_name() -> None:
    """A clash of names is an error, not a silent replacement."""
    one = Defect("same-name", "One.")
    with pytest.raises(ValueError, match="two defects are named same-name"):
        merged([one], [Defect("same-name", "Another.")])


GROUPS = {
    "gateway": GATEWAY,
    "services": SERVICES,
    "worker": WORKER,
    "process": PROCESS,
    "breakers": BREAKERS,
    "performance": PERFORMANCE,
}
TOGETHER: list[tuple[str, Layout]] = [
    ("gateway", "A"),
    ("services", "A"),
    ("worker", "A"),
    ("breakers", "A"),
    ("performance", "A"),
    ("gateway", "B"),
]


@pytest.mark.parametrize(("group", "layout"), TOGETHER)
def test_a_stack_with_all_defects_of_a_group_comes_up(group: str, layout: Layout) -> None:
    """Defects never keep a stack from becoming ready, not even many together."""
    names = tuple(defect.name for defect in GROUPS[group] if defect.layout in (None, layout))
    with EmbeddedStack.start(layout, names) as stack:
        assert stack.handover["targets"]["api"]["pid"] > 0


@pytest.mark.parametrize("defect", ["redis-other-password", "redis-few-clients", "redis-replica", "tls-unknown-ca"])
def test_a_stack_with_a_broken_redis_comes_up(defect: str) -> None:
    """The parts start without a usable Redis, too: a broken stack is there to be looked at."""
    with EmbeddedStack.start(CATALOGUE[defect].layout or "A", (defect,)) as stack:
        told = stack.handover["targets"]
        assert httpx.get(told["vikunja"]["url"] + "/api/v1/info", timeout=10).status_code == 200


def test_hanging_parts_accept_and_never_answer() -> None:
    """A part that hangs completes connections and is silent; the others answer."""
    hanging = ("ui", "docs", "vikunja", "voice", "gateway", "llm")
    with EmbeddedStack.start("A", tuple(f"{part}-hangs" for part in hanging)) as stack:
        for part in hanging:
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(stack.handover["targets"][part]["url"] + "/", timeout=httpx.Timeout(10, read=0.3))


def test_an_api_without_restart_policy_stays_away_and_its_metrics_port_is_closed() -> None:
    """After a crash nobody brings the API back; the closed metrics port refuses from the beginning."""
    with EmbeddedStack.start("A", ("api-not-restarted", "metrics-port-closed")) as stack:
        told = stack.handover["targets"]
        metrics, api = (int(told[name]["url"].rpartition(":")[2]) for name in ("metrics", "api"))
        assert _refused(metrics)
        assert not _refused(api)
        os.kill(told["api"]["pid"], signal.SIGKILL)
        assert eventually(lambda: _refused(api))
        assert not eventually(lambda: not _refused(api), seconds=2.5)


def test_crash_loops_crash_again_and_again() -> None:
    """A part in a crash loop comes back each time under a new process id, only to die again."""
    with EmbeddedStack.start("A", ("api-crash-loop", "worker-crash-loop")) as stack:
        for part, lives in (("worker", 3), ("api", 2)):
            seen: set[int] = set()

            def lived(part: str = part, lives: int = lives, seen: set[int] = seen) -> bool:
                seen.add(stack.handover["targets"][part].get("pid", 0))
                return len(seen - {0}) >= lives

            assert eventually(lived), part


def _refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False
