"""What a Prometheus server knows: the result of a query, and which of its targets are up."""
