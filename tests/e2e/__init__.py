"""The whole tool, as a user runs it, on the embedded stack."""
