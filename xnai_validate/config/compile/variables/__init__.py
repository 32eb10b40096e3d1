"""The vars of a profile: where they come from, and `${...}` in files."""
