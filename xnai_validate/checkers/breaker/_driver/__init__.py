"""A breaker driven from outside: calls, readings, the phases it goes through."""
