"""Tests of the language code."""
