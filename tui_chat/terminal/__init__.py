"""The driver between the application and its terminal."""
