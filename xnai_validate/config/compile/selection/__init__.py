"""Which checks of a profile run: filters, consent, conditions, and the waivers of known failures."""
