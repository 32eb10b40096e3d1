"""YAML files as JSON values, with the file, line and column of each."""
