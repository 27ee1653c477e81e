"""The imports of a plugin."""
