"""What every HTTP request of the API passes through: request ids, error envelopes, the OpenAPI document."""
