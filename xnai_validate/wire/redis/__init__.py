"""Redis for checkers and faults."""
