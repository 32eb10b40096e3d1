"""Loads that workers of Dask's `distributed` send together, and checks that are measured from where they are.

Only functions of `worker_calls` and `measurement_calls`, and plain data, go to a worker. They are called outside
of Dask's tasks, which it would run anew elsewhere when a worker is lost: a call is made once, on one worker, or not at
all.
"""
