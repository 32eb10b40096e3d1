"""Reports for people and programs: pure functions of a finished report, or reporters that take one event at a time."""
