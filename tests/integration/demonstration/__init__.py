"""The demonstration country."""
