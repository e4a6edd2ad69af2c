"""A believable country of our own making, so that a newcomer sees the product alive."""
