"""Queries to databases: PostgreSQL, MySQL, MariaDB, SQLite."""
