"""One check measured and judged: its attempts, what a checker is given, what checks share, what a waiver changes."""
