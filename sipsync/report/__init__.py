"""Documents to text; one renderer per file."""
