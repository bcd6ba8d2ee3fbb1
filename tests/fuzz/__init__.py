"""Broken inputs: how they are made, what may come of them, and a program that runs as many as one likes."""
