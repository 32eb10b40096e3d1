"""The report as an HTML page: the template, its style and its script, and what fills it."""
