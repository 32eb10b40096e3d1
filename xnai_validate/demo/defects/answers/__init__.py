"""Defects of the answers to questions: their text, sources, figures, limits, and who gets them."""
