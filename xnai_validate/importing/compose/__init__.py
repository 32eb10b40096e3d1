"""Compose files as the Compose Specification defines them, as far as checks depend on them.

No library reads them for this purpose. The package podman-compose is under the GPL and one module, whose reader is a
part of its command line; compose-go and `docker compose config` carry the reference implementation, which replaces
variables by their values: the names of variables, by which secrets are written down, are gone. The tests compare this
reader with the reference implementation.
"""
