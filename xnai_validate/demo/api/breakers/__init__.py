"""Circuit breakers whose state all workers share."""
