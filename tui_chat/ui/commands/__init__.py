"""All commands: one table, and the functions that its rows name."""
