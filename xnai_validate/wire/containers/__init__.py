"""Container engines (Docker, Podman) and the processes behind targets."""
