"""A second, independent implementation of the stack's interfaces, to try the bundled checks on."""
