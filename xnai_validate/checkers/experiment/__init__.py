"""Experiments: steady, disturbed, undone, steady again; and what was seen meanwhile."""

from xnai_validate.checkers.experiment.run import run_experiment

__all__ = ["run_experiment"]
