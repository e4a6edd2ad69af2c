"""Imports of responses."""
