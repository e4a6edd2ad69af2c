"""The pages where members keep the catalogue: agencies, services, stages and volumes."""
