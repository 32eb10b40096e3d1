"""Checks made of others: what work moves, whether places agree, how numbers compare, several steps as one."""
