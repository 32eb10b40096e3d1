"""The catalogue of defects: it is found by walking, healthy code knows nothing of it, and its stacks come up."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest

import xnai_validate.demo
from xnai_validate.demo.defects import CATALOGUE, TOPICS, Defect, by_name
from xnai_validate.demo.defects.catalogue import defects_of
from xnai_validate.demo.processes.stack import EmbeddedStack
from xnai_validate.demo.processes.supervision.launch import Template
from xnai_validate.demo.seams import SEAMS, seam
from xnai_validate.demo.settings import Layout

CODE = Path(xnai_validate.demo.__file__).parent


@pytest.fixture(scope="module")
def template() -> Iterator[Template]:
    """What the stacks of this file are forked from."""
    with Template() as template:
        yield template


def test_every_defect_wraps_a_seam() -> None:
    """Each defect of the catalogue has code: at least one wrapper of a function that is a seam."""
    assert [name for name, defect in CATALOGUE.items() if not defect.wrappers] == []
    assert all(wrapped in SEAMS for defect in CATALOGUE.values() for wrapped, _ in defect.wrappers)


def test_every_seam_is_wrapped_by_a_defect() -> None:
    """A seam that no defect uses is noise in healthy code."""
    used = {wrapped for defect in CATALOGUE.values() for wrapped, _ in defect.wrappers}
    own = {function for function in SEAMS if function.__module__.startswith("xnai_validate.")}
    assert [f"{function.__module__}.{function.__qualname__}" for function in own - used] == []


def test_healthy_code_names_no_defect() -> None:
    """Outside the catalogue no text is the name of a defect, and only the entries of processes import the catalogue."""
    named: list[str] = []
    for path in CODE.rglob("*.py"):
        place = path.relative_to(CODE)
        if place.parts[0] == "defects":
            continue
        text = path.read_text(encoding="utf-8")
        named += [f"{place}: {name}" for name in re.findall(r"""["']([a-z0-9-]+)["']""", text) if name in CATALOGUE]
        if "demo.defects" in text or "demo import defects" in text:
            named += [f"{place} imports the catalogue"] * (place.name not in ("__main__.py", "template.py"))
    assert named == []


def test_a_typing_error_in_a_seam_is_an_error_at_import() -> None:
    """A defect that wraps a function which is not a seam is refused when its module is imported."""
    with pytest.raises(TypeError, match=r"defect some-name: .*ordinary is not a seam"):
        Defect("some-name", "It does not matter.").changes(ordinary, lambda number: number)


def test_a_coroutine_function_is_wrapped_and_not_changed() -> None:
    """What a coroutine function returns is a coroutine, which `changes` would take for its result."""
    with pytest.raises(TypeError, match="is a coroutine function; wrap it"):
        Defect("some-name", "It does not matter.").changes(waiting, lambda coroutine: coroutine)


def ordinary() -> int:
    """No seam."""
    return 1


@seam
async def waiting() -> int:
    """A seam that is a coroutine function."""
    return 1


def test_a_topic_is_found_by_walking_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file in a topic is all that a new defect needs: defects and tuples of them are found."""
    topic = tmp_path / "new_topic"
    topic.mkdir()
    (topic / "__init__.py").write_text("")
    (topic / "some.py").write_text(
        "from xnai_validate.demo.defects.defect import Defect\n"
        'ALONE = Defect("alone-one", "One.")\n'
        'PAIR = (Defect("first-two", "One."), Defect("second-two", "Two."))\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    module = ModuleType("new_topic")
    module.__path__ = [str(topic)]
    monkeypatch.setitem(sys.modules, "new_topic", module)
    assert [defect.name for defect in defects_of(module)] == ["alone-one", "first-two", "second-two"]


def test_defects_are_described_in_one_line_and_named_in_words() -> None:
    """Names are lower-case words joined by hyphens, descriptions one sentence of at most 110 characters."""
    for name, defect in CATALOGUE.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name), name
        assert defect.description.endswith(".") or defect.description.endswith(")."), name
        assert len(defect.description) <= 110, name
        assert "\n" not in defect.description, name
        assert defect.checks, name


def test_no_two_defects_have_one_name() -> None:
    """A clash of names is an error, not a silent replacement."""
    with pytest.raises(ValueError, match="two defects are named same-name"):
        by_name([Defect("same-name", "One."), Defect("same-name", "Another.")])


TOGETHER: list[tuple[str, Layout]] = [
    ("gateway", "A"),
    ("services", "A"),
    ("worker", "A"),
    ("breakers", "A"),
    ("performance", "A"),
    ("gateway", "B"),
]


@pytest.mark.parametrize(("topic", "layout"), TOGETHER)
def test_a_stack_with_all_defects_of_a_topic_comes_up(template: Template, topic: str, layout: Layout) -> None:
    """Defects never keep a stack from becoming ready, not even many together."""
    names = tuple(defect.name for defect in TOPICS[topic] if defect.layout in (None, layout))
    with EmbeddedStack.start(layout, names, launch=template.launch) as stack:
        assert stack.description["targets"]["api"]["pid"] > 0


@pytest.mark.parametrize("defect", ["redis-other-password", "redis-few-clients", "redis-replica", "tls-unknown-ca"])
def test_a_stack_with_a_broken_redis_comes_up(template: Template, defect: str) -> None:
    """The parts start without a usable Redis, too: a broken stack must be there to be validated."""
    with EmbeddedStack.start(CATALOGUE[defect].layout or "A", (defect,), launch=template.launch) as stack:
        vikunja = stack.description["targets"]["vikunja"]["url"]
        assert httpx.get(vikunja + "/api/v1/info", timeout=10).status_code == 200
