"""Health reports, held against what is really so."""
