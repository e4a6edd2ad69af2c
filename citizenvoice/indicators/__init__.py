"""Outcome indicators computed from stored counts."""
