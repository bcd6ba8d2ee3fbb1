"""One file for each scheme of references."""
