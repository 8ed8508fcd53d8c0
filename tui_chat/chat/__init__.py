"""What a chat is: a tree of messages with one reply in flight."""
