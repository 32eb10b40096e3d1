"""The machine the tool runs on: its resources, clock, listening ports and Python."""
