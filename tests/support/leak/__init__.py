"""The stage of the tests that search for secrets: marked secrets, a hostile server, and the search."""
