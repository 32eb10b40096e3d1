"""Tests against software that others wrote; `make test-extra` installs it."""
