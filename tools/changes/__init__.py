"""The tools that ask for a change: they store plans and change nothing. No writer can be reached from here."""
