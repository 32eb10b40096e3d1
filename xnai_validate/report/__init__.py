"""What a person or a machine reads: pure functions from a report, or small machines that take events."""
