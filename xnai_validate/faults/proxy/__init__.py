"""Faults of the connection to a target: a TCP proxy of our own, in a child process, in front of it.

The requests of a check go through the proxy: the target's url is that of the proxy while the fault is active. The stack
itself keeps its own connections, unless its configuration names the address of `listen`.
"""
