"""Pages about surveys, by audience."""
