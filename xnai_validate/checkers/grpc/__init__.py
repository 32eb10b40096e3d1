"""gRPC servers: their health, and calls of their methods by reflection."""
