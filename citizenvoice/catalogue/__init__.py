"""The pages of agencies and services: what managers write down, and where the public begins."""
