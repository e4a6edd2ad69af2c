"""Pure language code: text in, values out; knows no database and no web."""
