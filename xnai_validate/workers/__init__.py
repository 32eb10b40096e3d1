"""Loads that workers of Dask's `distributed` send together, and checks that are measured from where they are.

Nothing but functions of `worker_calls` and plain data goes to a worker. They are called outside of Dask's tasks, which
it would run anew elsewhere when a worker is lost: a call is made once, on one worker, or not at all.
"""
