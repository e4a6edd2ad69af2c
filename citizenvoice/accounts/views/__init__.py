"""The pages of signing in, and of members, keys and the record of what was done."""
