"""Pure statistics: counts in, estimates with intervals out; knows no database and no web."""
