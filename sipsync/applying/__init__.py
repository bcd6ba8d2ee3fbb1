"""A plan and a portal in, an outcome out."""
