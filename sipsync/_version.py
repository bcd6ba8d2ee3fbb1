"""The version, where every room may read it and the build finds it."""

__version__ = "0.1.0"
