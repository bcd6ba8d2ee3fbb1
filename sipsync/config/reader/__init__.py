"""Text in: YAML nodes that know their places."""
