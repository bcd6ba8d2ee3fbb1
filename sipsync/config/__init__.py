"""YAML text to desired portals, and back."""
