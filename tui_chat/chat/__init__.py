"""Chats: trees of messages, and the replies that grow in them."""
