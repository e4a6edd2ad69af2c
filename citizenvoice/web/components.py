"""Registration of the filters that the shared templates in ``templates/components/`` are written with."""

from flask import Flask

from citizenvoice.web import charts, formats


def register(app: Flask) -> None:
    """Make number formats and small drawings known to the app's templates."""
    formats.register(app)
    app.jinja_env.filters["interval_bar"] = charts.interval_bar
