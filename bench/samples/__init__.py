"""Recorded runs to simulate with: what the same loads looked like, run after run, on a machine that others used too.

All were recorded on 2026-11-25 on two cores, each as a baseline that the tool reads.

`quiet`: 29 runs over 15 minutes at a load average of 0.1 to 0.8, by the tool itself (`python -m bench.samples quiet
29`), each with an embedded stack of its own, after one that filled the cache of bytecode; without `static`.

`calm`: 36 runs over 16 minutes at a load average of 1 to 9, eight other jobs at most, against one embedded stack
(`query`: 70 questions a second for 8 s) and the static server (`static`: 300 requests a second), by an open load
generator of some lines on asyncio, whose lateness is given less the millisecond to which its timer rounds.

`busy`: 26 runs at a load average of 5 to 11, by the tool itself, without `static`.
"""
