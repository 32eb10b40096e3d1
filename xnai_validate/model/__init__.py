"""Values without input or output: statuses, rules, events, the report and the verdict."""
