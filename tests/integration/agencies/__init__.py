"""The catalogue: agencies, services, stages and volumes."""
