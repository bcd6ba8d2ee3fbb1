"""References to values; one file per source."""
