"""What earlier runs contribute to a run: their times, the checks that failed, the baselines."""
