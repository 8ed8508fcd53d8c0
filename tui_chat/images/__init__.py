"""Pictures, prepared for models and for terminals. Only this room imports Pillow, and only when it is needed."""
