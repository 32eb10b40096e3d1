"""Health reports, compared with the actual state of the stack."""
