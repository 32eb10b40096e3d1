"""What the documentation is generated from: the reference out of the registry and the schemas, and its pictures."""
