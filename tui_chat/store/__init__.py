"""Chats on disk: crash-safe, shared by several processes, searchable in any language."""
