"""Faults of the line to a target: a TCP proxy of our own, in a child process, stands in front of it.

What a check measures goes through the proxy, for the target's url is moved there while the fault is in force. The stack
itself keeps its own connections, unless its configuration names the address of `listen`.
"""
