"""`python -m cordinr`: the command from a checkout that is not installed."""

from .cli import main

main()
