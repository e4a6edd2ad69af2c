"""Writes sums of features as the JSON text of nested counts, without building dictionaries in between."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

Path = tuple[str, ...]


def count_texts(paths: Sequence[Path], sums: Any) -> list[str]:
    """Return the nested counts of each row of a sparse matrix as JSON text; zeros are left out.

    ``paths`` has the path of each column's leaf; ``sums`` is a CSR matrix of shape (n_rows, n_paths).

    >>> from scipy import sparse
    >>> count_texts([("n",), ("q", "ease")], sparse.csr_array([[2.0, 0.5], [0.0, 0.0]]))
    ['{"n":2,"q":{"ease":0.5}}', '{}']
    """
    order = sorted(range(len(paths)), key=paths.__getitem__)
    leaves = [paths[column] for column in order]
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    sums = sums.copy()
    sums.data = np.round(sums.data, 6)
    sums.eliminate_zeros()
    sums.indices = place[sums.indices]
    sums.has_sorted_indices = False
    sums.sort_indices()
    found = sums.indices.astype(np.int64)
    before = np.roll(found, 1)
    starts = sums.indptr.tolist()
    before[[start for start, end in pairwise(starts) if start < end]] = len(leaves)
    steps, which = np.unique(before * len(leaves) + found, return_inverse=True)
    words = [_step(*_both(leaves, step)) for step in steps.tolist()]
    pieces = [""] * (2 * len(found))
    pieces[::2] = [words[one] for one in which.tolist()]
    pieces[1::2] = map(str, _numbers(sums.data))
    depths = [len(path) for path in leaves]
    last = found.tolist()
    return [
        "".join(pieces[2 * start : 2 * end]) + "}" * depths[last[end - 1]] if start < end else "{}"
        for start, end in pairwise(starts)
    ]


def _both(leaves: Sequence[Path], step: int) -> tuple[Path, Path]:
    before, leaf = divmod(step, len(leaves))
    return leaves[before] if before < len(leaves) else (), leaves[leaf]


@lru_cache(maxsize=100_000)
def _step(before: Path, leaf: Path) -> str:
    """Return what is written between the number of one leaf and that of another; of none, at the start."""
    shared = 0
    while shared < min(len(before), len(leaf)) - 1 and before[shared] == leaf[shared]:
        shared += 1
    names = [orjson.dumps(name).decode() for name in leaf[shared:]]
    start = "}" * (len(before) - 1 - shared) + "," if before else "{"
    return start + "".join(f"{name}:{{" for name in names[:-1]) + f"{names[-1]}:"


def _numbers(amounts: npt.NDArray[np.float64]) -> list[Any]:
    integers = np.rint(amounts)
    if bool((amounts == integers).all()):
        return integers.astype(np.int64).tolist()  # type: ignore[no-any-return]
    return [int(amount) if amount == int(amount) else amount for amount in amounts.tolist()]
