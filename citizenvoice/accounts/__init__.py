"""Who signs in, what they may see, and what was done."""
