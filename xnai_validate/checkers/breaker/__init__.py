"""Circuit breakers, seen from outside: whether they open, refuse, recover and keep their state as promised."""

KINDS = ("concurrent", "cycle", "forgive", "outage", "refusal", "reopen", "shared", "state", "survive")
