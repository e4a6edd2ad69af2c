"""Dashboards for managers, scorecards for the public, and exports."""
