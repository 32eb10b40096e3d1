"""Faults of the line to a target: a TCP proxy of our own, in a child process, stands in front of it.

What a check measures goes through the proxy, for the target's url is moved there while the fault is in force. The stack
itself keeps its own connections, unless its configuration names the address of `listen`.
"""

from xnai_validate.faults.proxy.bandwidth import Bandwidth
from xnai_validate.faults.proxy.latency import Latency
from xnai_validate.faults.proxy.limit_data import LimitData
from xnai_validate.faults.proxy.refuse import Refuse
from xnai_validate.faults.proxy.reset import Reset
from xnai_validate.faults.proxy.slicer import Slicer
from xnai_validate.faults.proxy.slow_close import SlowClose
from xnai_validate.faults.proxy.timeout import Timeout

__all__ = ["Bandwidth", "Latency", "LimitData", "Refuse", "Reset", "Slicer", "SlowClose", "Timeout"]
