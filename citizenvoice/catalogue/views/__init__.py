"""The catalogue's pages, by audience."""
