"""The commands, one file each: the Typer command and its work. `cli.app` imports a command only when it is needed."""
