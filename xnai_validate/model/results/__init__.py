"""Results of a run: statuses, events, the report and the verdict."""
