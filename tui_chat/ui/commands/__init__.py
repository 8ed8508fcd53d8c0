"""Everything that a person can ask for: one function per command, grouped as in the help."""
