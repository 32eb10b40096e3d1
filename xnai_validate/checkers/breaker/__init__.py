"""Circuit breakers, measured from outside: whether they open, refuse, recover and keep their state as promised."""
