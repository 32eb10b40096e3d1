"""Run commands on this host or in containers: exit code and output."""
