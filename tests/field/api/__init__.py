"""The API with the model inside, as one process."""
