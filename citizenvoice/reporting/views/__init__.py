"""Pages of figures: for managers, and for everybody."""
