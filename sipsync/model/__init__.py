"""The nouns that every room shares: plain frozen data, no behaviour that touches the world."""
