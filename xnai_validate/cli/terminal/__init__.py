"""The terminal: standard streams, error messages with exit codes, help texts and shell completion."""
