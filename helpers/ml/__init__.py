"""The command `ml`: see command.py."""
