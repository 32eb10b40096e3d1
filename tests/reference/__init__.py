"""What others build on and so may not change unnoticed."""
