"""Measures whether public services work for the people who use them."""
