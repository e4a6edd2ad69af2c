"""Tests that measure the shipped models."""
