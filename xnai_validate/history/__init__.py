"""History: what earlier runs found, in a SQLite database beside their journals."""
