"""``python -m citizenvoice COMMAND``: every command an operator or a timer runs."""

from citizenvoice.cli import main

main()
