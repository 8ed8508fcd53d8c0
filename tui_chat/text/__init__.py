"""Text to text, without I/O."""
