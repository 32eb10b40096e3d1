"""What the container engine knows about the container of a target."""
