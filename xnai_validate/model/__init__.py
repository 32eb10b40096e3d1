"""Values, and the rules that judge them; no input or output: statuses, rules, events, the report, the verdict."""
