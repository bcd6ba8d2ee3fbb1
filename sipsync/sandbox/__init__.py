"""An emulated portal: the rule book behind HTTP, its rows in SQLite."""
