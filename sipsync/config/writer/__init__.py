"""Text out: files made, laid out and merged, comments kept."""
