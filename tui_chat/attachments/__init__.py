"""The user's own files: paths as they are written, dropped and completed, and what of them is attached."""
