"""Registration of what the shared templates in ``templates/components/`` are written with."""

from flask import Flask

from citizenvoice.web import formats, languages, small_charts


def register(app: Flask) -> None:
    """Make number formats, small drawings and marks of language known to the app's templates."""
    formats.register(app)
    app.jinja_env.filters["interval_bar"] = small_charts.interval_bar
    app.jinja_env.filters["local_name"] = languages.local_name
    app.jinja_env.globals.update(ours=languages.ours, our_language=languages.our_language)
