"""Checks made of others: what work moves, whether places say the same, how numbers compare, several steps as one."""
