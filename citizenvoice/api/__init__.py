"""The versioned public programming interface."""
