"""The machine the tool runs on: its resources, clock, listening ports and Python."""

from xnai_validate.checkers.host.clock import measure_clock
from xnai_validate.checkers.host.ports import measure_ports
from xnai_validate.checkers.host.python import measure_python
from xnai_validate.checkers.host.resources import measure_resources

__all__ = ["measure_clock", "measure_ports", "measure_python", "measure_resources"]
