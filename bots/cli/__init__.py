"""The command line. `main` wires the commands; every heavy import waits for the command that needs it."""
