"""The command `prove`: the defects of the embedded stack against the checks that must catch them."""
