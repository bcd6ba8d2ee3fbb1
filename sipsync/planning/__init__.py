"""Desired and current in, an ordered and proved plan out: pure functions of values."""
