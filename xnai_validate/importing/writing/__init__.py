"""The files that `init` writes: their text, and how a file that a person has edited is brought up to date."""
