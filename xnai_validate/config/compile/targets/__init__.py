"""The targets of a profile: their candidates, their access settings and their probes."""
