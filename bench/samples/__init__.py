"""Recorded runs to simulate with: what the same loads looked like, run after run, on a machine that others used too.

Both were recorded on 2026-11-25 on two cores that up to eight other jobs shared, each as a baseline that the tool
reads. `calm`: 36 runs over 16 minutes at a load average of 1 to 9, against one embedded stack (`query`: 70 questions a
second for 8 s) and the static server (`static`: 300 requests a second), by an open load generator of some lines on
asyncio, whose lateness is given less the millisecond to which its timer rounds. `busy`: 26 runs at a load average of 5
to 11, by the tool itself, as `python -m bench.samples busy 26` makes them, each with an embedded stack of its own.
"""
