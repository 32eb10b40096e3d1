"""What a person reads on a terminal, laid out by rich: the report, tables of other commands, the live display."""
