"""Free text about services, and the receipts of the people who sent something."""
