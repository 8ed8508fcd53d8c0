"""What a person in a shell sees: a reply in a pipe, lists, exports, and errors that name no key."""
