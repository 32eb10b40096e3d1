"""The load generator: when requests begin, what drives them, what is counted."""
