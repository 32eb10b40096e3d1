"""The matrix of defects and checks as text."""

from __future__ import annotations

from xnai_validate.cli.proving.matrix import append_matrix
from xnai_validate.cli.proving.proof import Proof
from xnai_validate.cli.proving.trials import Trial, TrialResult
from xnai_validate.model.results.status import Status
from xnai_validate.report.terminal.page import Page

DOWN = ("services/answers:docs", "services/answers:docs-page")
CALM = TrialResult(Trial("A", None), dict.fromkeys((*DOWN, "api/query:answers"), Status.PASS), {})
CAUGHT = TrialResult(Trial("A", "docs-down", DOWN), dict.fromkeys(DOWN, Status.FAIL), {})


def text_of(proof: Proof) -> str:
    """Return the matrix on a page of 80 columns."""
    page = Page(80, unicode=False)
    append_matrix(page, proof, tuple(proof.complaints()))
    return str(page)


def test_each_defect_has_its_checks_and_each_check_its_defects() -> None:
    """Ids of one suite stand together; what is not proven is listed at the end."""
    text = text_of(Proof((CALM,), (CAUGHT,)))
    assert "  docs-down (A)\n      services/answers: docs, docs-page\n" in text
    assert "  api/query:answers           0\n  services/answers:docs       1  docs-down\n" in text
    assert "\n1 of 1 defects are caught by 3 checks\n" in text
    assert "Not proven: 1 -" in text
    assert text.endswith("  api/query:answers fails under no defect\n")


def test_a_whole_proof_is_one_sentence() -> None:
    """Without complaints the last line is that every check passes on the healthy stack and fails under a defect."""
    healthy = TrialResult(Trial("A", None), dict.fromkeys(DOWN, Status.PASS), {})
    assert text_of(Proof((healthy,), (CAUGHT,))).endswith("fails under a defect\n")
