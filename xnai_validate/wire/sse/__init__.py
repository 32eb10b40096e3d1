"""Server-sent events: the parser of the WHATWG rules and the faults of framing."""
