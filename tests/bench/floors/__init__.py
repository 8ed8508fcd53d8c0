"""What tui-chat is measured against: the least that a chat client can be."""
