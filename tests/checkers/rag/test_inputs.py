"""The inputs that try the limits of questions."""

from __future__ import annotations

from tests.checkers.rag.server import seen
from xnai_validate.checkers.rag._inputs import inputs
from xnai_validate.checkers.rag._models import LimitsParams


def test_a_group_runs_alone_and_inputs_have_unique_names() -> None:
    """No two inputs have the same name, there are 38 malformed bodies, and a group has only its own inputs."""
    every = list(inputs(LimitsParams()))
    assert len({lie.name for lie in every}) == len(every)
    assert len(list(inputs(LimitsParams(groups=["malformed"])))) == 38
    assert seen("rag.limits", groups=["numbers"]).facts["inputs"] == 8 + 8 + 8
