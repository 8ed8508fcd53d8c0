"""What opens over the chat."""
