"""Rules: how they are written, what they require of facts, and how a finding reads."""
