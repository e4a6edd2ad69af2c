"""What a tier says of comments before it is calibrated: scores, and how two tiers are blended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, softmax

from citizenvoice.nlp.features import Floats

URGENCIES = ("harm", "threat", "safeguarding", "corruption", "discrimination")
"""Why a person should look at a comment soon."""


@dataclass(frozen=True)
class Scores:
    """Log-odds of n comments.

    ``sentiment`` ``(n, 5)``, ``mixed`` ``(n,)``, ``urgency`` ``(n, 5)``, ``themes`` ``(n, n_themes)`` of
    one codebook; ``stances`` ``(n, n_themes, 4)`` where the tier tells what is said of each theme.
    """

    sentiment: Floats
    mixed: Floats
    urgency: Floats
    themes: Floats
    stances: Floats | None = None

    def __len__(self) -> int:
        return len(self.sentiment)

    @property
    def alarm(self) -> Floats:
        """Log-odds of any urgency, shape ``(n,)``."""
        return np.asarray(logsumexp(self.urgency, axis=1), dtype=np.float32)

    def rows(self, kept: npt.NDArray[np.integer] | slice) -> "Scores":
        """Return the scores of some comments."""
        stances = None if self.stances is None else self.stances[kept]
        return Scores(self.sentiment[kept], self.mixed[kept], self.urgency[kept], self.themes[kept], stances)

    def blend(self, other: "Scores", share: float) -> "Scores":
        """Return the mean of two tiers: of probabilities for classes, of log-odds for labels.

        ``share`` in [0, 1] is the weight of ``self``. Themes that are NaN in one are taken from the other.
        """
        mean = share * softmax(self.sentiment, axis=1) + (1 - share) * softmax(other.sentiment, axis=1)
        return Scores(
            sentiment=np.log(mean + 1e-9).astype(np.float32),
            mixed=share * self.mixed + (1 - share) * other.mixed,
            urgency=share * self.urgency + (1 - share) * other.urgency,
            themes=_mean_where_known(self.themes, other.themes, share),
            stances=self.stances if other.stances is None else other.stances,
        )

    @classmethod
    def joined(cls, parts: Sequence["Scores"]) -> Self:
        """Return the scores of several batches as one."""
        stances = [part.stances for part in parts if part.stances is not None]
        return cls(
            np.concatenate([part.sentiment for part in parts]),
            np.concatenate([part.mixed for part in parts]),
            np.concatenate([part.urgency for part in parts]),
            np.concatenate([part.themes for part in parts]),
            np.concatenate(stances) if len(stances) == len(parts) else None,
        )


def _mean_where_known(first: Floats, second: Floats, share: float) -> Floats:
    mean = share * first + (1 - share) * second
    return np.where(np.isnan(first), second, np.where(np.isnan(second), first, mean))
