"""From kinds, params and rules as written to validated measurements."""
