"""The widgets: nouns of what a person sees."""
