"""The base."""
