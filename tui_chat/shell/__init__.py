"""The commands in the shell: replies in a pipe, lists, exports, and errors that name no key."""
