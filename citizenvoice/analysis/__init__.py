"""What machines and people read in comments."""
