"""The gateway: a reverse proxy with the routes and headers that the Caddy of the stack has."""
