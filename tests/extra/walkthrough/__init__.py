"""The stack of docs/walkthrough.md: nginx with TLS, PostgreSQL, Redis, an application with a login, and a worker."""
