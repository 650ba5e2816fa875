"""Markdown on standard output, written as soon as it is known."""


def say(text: str) -> None:
    """A paragraph."""
    print(f"{text}\n", flush=True)


def heading(*columns: str) -> None:
    """The first two lines of a table."""
    row(*columns)
    print("|" + "---|" * len(columns), flush=True)


def row(*cells: str) -> None:
    """A line of a table."""
    print(f"| {' | '.join(cells)} |", flush=True)


def end() -> None:
    """The empty line that ends a table."""
    print(flush=True)
