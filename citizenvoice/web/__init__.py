"""Presentation every page shares; knows no feature."""
