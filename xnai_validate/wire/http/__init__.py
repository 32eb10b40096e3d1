"""HTTP for checkers."""
