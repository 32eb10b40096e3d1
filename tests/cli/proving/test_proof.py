"""What a proof lacks, and the matrix as JSON, of results that the test provides."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xnai_validate.cli.proving.matrix import write_matrix
from xnai_validate.cli.proving.proof import Proof, prove_defects
from xnai_validate.cli.proving.trials import Trial, TrialResult
from xnai_validate.errors import ConfigError
from xnai_validate.model.results.status import Status

HEALTHY = TrialResult(Trial("A", None), {"a/b:c": Status.PASS, "a/b:d": Status.PASS}, {})
CAUGHT = TrialResult(Trial("A", "slow", ("a/b:c",)), {"a/b:c": Status.FAIL}, {"a/b:c": "too slow"})
MISSED = TrialResult(Trial("B", "lies", ("a/b:d",)), {"a/b:d": Status.PASS}, {})


def test_a_whole_proof_has_no_complaints() -> None:
    """Each check passes on the healthy stack and fails under a defect."""
    healthy = TrialResult(Trial("A", None), {"a/b:c": Status.PASS}, {})
    proof = Proof((healthy,), (CAUGHT,))
    assert tuple(proof.complaints()) == ()


def test_everything_that_is_missing_is_named() -> None:
    """A defect that is missed or without a check, a check that cannot fail, a trial that broke."""
    broke = TrialResult(Trial("A", "crash", ("a/b:c",)), {}, {}, broke="no memory")
    proof = Proof((HEALTHY,), (CAUGHT, MISSED, broke), unnamed=("later",))
    assert tuple(proof.complaints()) == (
        "crash (A): the trial could not be run: no memory",
        "later: no check is named that must catch it",
        "lies (B): a/b:d must fail, and is pass: ",
        "lies (B): no check fails",
        "crash (A): a/b:c must fail, and is unknown: ",
        "a/b:d fails under no defect",
    )


def test_a_cover_is_of_all_defects() -> None:
    """Chosen defects are proven all: a cover of them is refused, before anything is started."""
    with pytest.raises(ConfigError, match="--cover chooses the defects itself"):
        prove_defects(("api-down",), "phase4", full=False, covering=True, jobs=1)


def test_the_matrix_is_written_as_json(tmp_path: Path) -> None:
    """By defect, what caught it and what did not; a file that cannot be written is an error of the command line."""
    path = tmp_path / "matrix.json"
    write_matrix(path, Proof((HEALTHY,), (CAUGHT, MISSED)))
    matrix = json.loads(path.read_text())
    assert matrix["healthy"]["A"] == {"a/b:c": "pass", "a/b:d": "pass"}
    assert matrix["defects"]["slow"] == {"layout": "A", "killed": ["a/b:c"], "survived": [], "again": False}
    assert matrix["defects"]["lies"]["survived"] == ["a/b:d"]
    with pytest.raises(ConfigError, match="No such file"):
        write_matrix(tmp_path / "missing" / "matrix.json", Proof((), ()))
