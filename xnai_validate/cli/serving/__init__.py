"""`serve`: a server of health, metrics and the latest report, beside the runs that repeat."""
