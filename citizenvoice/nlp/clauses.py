"""The clauses of a comment: where it turns from one thing to the next."""

import re

FEWEST_WORDS = 2
"""A piece with fewer words belongs to the clause before it."""

MOST = 40
"""The rest of a long text is one clause."""

_CONTRASTS = (
    "but|however|although|though|except|yet|whereas|while|unfortunately|pero|aunque|sin embargo|salvo|excepto"
)
_NEW_SUBJECTS = "the|my|then|they|it|i|he|she|staff|no|not|la|el|los|las|me|nadie"
_TURN = re.compile(
    r"(?<=[.!?;:\n])\s+|,\s+(?!(?:and|or|y|o)\b)|\s+[-–—]+\s+"
    rf"|\s+(?=(?:{_CONTRASTS})\b)|\s+(?=(?:and|y) (?:{_NEW_SUBJECTS})\b)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


def clauses_of(text: str) -> list[str]:
    """Cut a text where it turns; pieces of one word stay with their neighbour.

    Examples
    --------
    >>> clauses_of("Lovely nurse, dreadful parking. Thanks")
    ['Lovely nurse', 'dreadful parking. Thanks']
    >>> clauses_of("The clerk was kind but I waited three hours")
    ['The clerk was kind', 'but I waited three hours']
    """
    pieces = _TURN.split(text, maxsplit=MOST)
    clauses: list[str] = []
    for piece in (piece.strip() for piece in pieces):
        if clauses and len(_WORD.findall(piece)) < FEWEST_WORDS:
            clauses[-1] = f"{clauses[-1]} {piece}".strip() if piece else clauses[-1]
        elif piece:
            clauses.append(piece)
    return _with_short_beginning_joined(clauses)


def _with_short_beginning_joined(clauses: list[str]) -> list[str]:
    if len(clauses) > 1 and len(_WORD.findall(clauses[0])) < FEWEST_WORDS:
        return [f"{clauses[0]} {clauses[1]}", *clauses[2:]]
    return clauses
