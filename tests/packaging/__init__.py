"""The package as its users get it: a wheel, installed into a fresh environment of each Python that is found."""
