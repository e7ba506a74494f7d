"""The commands: everything that the server can do, from a terminal or a script."""
