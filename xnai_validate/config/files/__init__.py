"""Models of the files that users write: suites, profiles, variables."""
