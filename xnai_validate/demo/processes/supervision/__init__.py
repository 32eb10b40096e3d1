"""The supervisor of the embedded stack and what it forks: parts, workers, the template and the cleaner."""
