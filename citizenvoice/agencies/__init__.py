"""Public bodies, the services they provide and how many people each service serves."""
