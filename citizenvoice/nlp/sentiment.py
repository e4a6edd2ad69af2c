"""How positive a comment is, in five classes from 1 (very negative) to 5 (very positive)."""

import numpy as np
import numpy.typing as npt

from citizenvoice.nlp.features import Floats

CLASSES = (1, 2, 3, 4, 5)
"""1 very negative, 2 negative, 3 neutral or mixed, 4 positive, 5 very positive."""

STANCES = ("neg", "neu", "mix", "pos")
"""What is said of one theme: blame, neither, both, praise."""


def three_classes(classes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Merge five classes into -1 negative, 0 neutral or mixed, 1 positive.

    Examples
    --------
    >>> three_classes([1, 2, 3, 4, 5]).tolist()
    [-1, -1, 0, 1, 1]
    """
    return np.sign(np.asarray(classes, dtype=np.int64) - 3)


def three_shares(probabilities: Floats) -> Floats:
    """Add up the probabilities of five classes ``(n, 5)`` to negative, neutral or mixed, positive ``(n, 3)``.

    Examples
    --------
    >>> three_shares(np.array([[0.5, 0.25, 0.25, 0, 0]], np.float32)).tolist()
    [[0.75, 0.25, 0.0]]
    """
    p = probabilities
    return np.stack([p[:, 0] + p[:, 1], p[:, 2], p[:, 3] + p[:, 4]], axis=1)
