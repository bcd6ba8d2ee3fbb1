"""Many portals side by side."""
