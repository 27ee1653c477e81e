"""The world of a plugin: what it imports and exports."""
