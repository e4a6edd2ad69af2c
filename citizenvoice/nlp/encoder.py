"""The sentence encoder of the accurate tier: an ONNX file, its tokenizer, and what its outputs mean."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from citizenvoice.nlp.calibration import Calibration
from citizenvoice.nlp.features import prompt_of
from citizenvoice.nlp.folders import DamagedModelError, read_folder, write_folder
from citizenvoice.nlp.scores import URGENCIES, Scores
from citizenvoice.nlp.sentiment import CLASSES, STANCES

FORMAT = 1
KIND = "encoder"
NETWORK, TOKENIZER = "model.onnx", "tokenizer.json"
READ_CHARS = 6_000
REMEMBERED = 20_000
"""How many comments' scores a process keeps; about 2 KB each."""

_NOT_ASKED = -30.0


class EncoderMissingError(Exception):
    """The accurate tier was asked for where ``onnxruntime`` and ``tokenizers`` are not installed."""


@dataclass(frozen=True)
class Layout:
    """What the outputs of a network mean.

    ``themes`` maps a codebook to the name of an output ``(n, n_codes)`` and the codes it is in the order
    of; ``stances`` maps a codebook to an output ``(n, n_codes, 4)`` in the order of ``STANCES``.
    ``calibrations`` are of the blend with the default tier, by language; ``share`` is the encoder's part.
    """

    name: str
    languages: tuple[str, ...]
    themes: dict[str, tuple[str, tuple[str, ...]]]
    stances: dict[str, str]
    max_tokens: int
    share: float
    calibrations: dict[str, Calibration]
    facts: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return plain values that ``from_json`` understands."""
        return {
            "kind": KIND,
            "format": FORMAT,
            "name": self.name,
            "languages": list(self.languages),
            "themes": {
                key: {"output": output, "codes": list(codes)} for key, (output, codes) in self.themes.items()
            },
            "stances": self.stances,
            "max_tokens": self.max_tokens,
            "share": self.share,
            "calibrations": {language: one.as_json() for language, one in self.calibrations.items()},
            "facts": self.facts,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Layout":
        """Return what ``as_json`` wrote down."""
        return cls(
            name=data["name"],
            languages=tuple(data["languages"]),
            themes={key: (one["output"], tuple(one["codes"])) for key, one in data["themes"].items()},
            stances=dict(data["stances"]),
            max_tokens=int(data["max_tokens"]),
            share=float(data["share"]),
            calibrations={
                language: Calibration.from_json(one) for language, one in data["calibrations"].items()
            },
            facts=data["facts"],
        )


def save_encoder(folder: Path, *, network: bytes, tokenizer: bytes, layout: Layout) -> str:
    """Write an encoder's folder with its digests, and return the digest of the whole."""
    return write_folder(folder, {NETWORK: network, TOKENIZER: tokenizer}, layout.as_json())


class Encoder:
    """Reads texts with a network, in batches of like length, and remembers what it read by text digest."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        manifest, files, self.digest = read_folder(folder, kind=KIND, version=FORMAT)
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise EncoderMissingError("The accurate reader needs onnxruntime and tokenizers.") from error
        try:
            self.layout = Layout.from_json(manifest)
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
            options.enable_cpu_mem_arena = False  # memory goes back after a long comment
            self._session = onnxruntime.InferenceSession(
                files[NETWORK], options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_buffer(files[TOKENIZER])
        except Exception as error:  # each library has exceptions of its own
            raise DamagedModelError(f"The encoder in {folder} cannot be started.") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.layout.max_tokens, strategy="longest_first")
        self._given = {one.name for one in self._session.get_inputs()}
        self._said: OrderedDict[bytes, Scores] = OrderedDict()

    def scores(
        self,
        texts: Sequence[str],
        prompts: Sequence[str | None],
        codebook: str,
        codes: Sequence[str],
        *,
        at_once: int = 1024,
    ) -> Scores:
        """Return what the network says, themes in the order of ``codes``; what it read before is remembered.

        ``at_once`` is the number of tokens, padding included, given to the network at a time. Themes it
        does not know are NaN.

        Raises
        ------
        ValueError
            If a prompt is unknown.
        """
        prompts = [prompt_of(prompt) for prompt in prompts]
        keys = [_digest(text, prompt, codebook) for text, prompt in zip(texts, prompts, strict=True)]
        known = {key: self._said[key] for key in keys if key in self._said}
        new = {key: i for i, key in enumerate(keys) if key not in known}
        if new:
            rows = list(new.values())
            read = self._read([texts[i] for i in rows], [prompts[i] for i in rows], codebook, at_once)
            known |= {key: read.rows(slice(i, i + 1)) for i, key in enumerate(new)}
            self._remember({key: known[key] for key in new})
        return self._ordered(Scores.joined([known[key] for key in keys]), codebook, codes)

    def _ordered(self, said: Scores, codebook: str, codes: Sequence[str]) -> Scores:
        _, own = self.layout.themes.get(codebook, ("", ()))
        unknown = np.full((len(said), 1), np.nan, dtype=np.float32)
        place = [own.index(code) if code in own else len(own) for code in codes]
        themes = np.concatenate([said.themes, unknown], axis=1)[:, place]
        stances = None if said.stances is None else order_stances(said.stances, own, codes)
        return replace(said, themes=themes, stances=stances)

    def words(self) -> list[str]:
        """Return the whole words of the vocabulary, in order."""
        pieces = self._tokenizer.get_vocab()
        return sorted(word for word in pieces if word.isascii() and word.isalpha() and len(word) > 2)

    def _remember(self, new: Mapping[bytes, Scores]) -> None:
        self._said.update(new)
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)

    def _read(
        self, texts: Sequence[str], prompts: Sequence[str | None], codebook: str, at_once: int
    ) -> Scores:
        coded = [self._encode(text, prompt) for text, prompt in zip(texts, prompts, strict=True)]
        order = sorted(range(len(coded)), key=lambda i: len(coded[i].ids))
        batches = []
        start = 0
        while start < len(order):
            size = 1
            while start + size < len(order) and (size + 1) * len(coded[order[start + size]].ids) <= at_once:
                size += 1
            batches.append(self._run([coded[i] for i in order[start : start + size]], codebook))
            start += size
        back = np.argsort(order)
        return Scores.joined(batches).rows(back)

    def _encode(self, text: str, prompt: str | None) -> Any:
        clean = text[:READ_CHARS].encode("utf-8", "replace").decode()
        return self._tokenizer.encode(prompt, clean) if prompt else self._tokenizer.encode(clean)

    def _run(self, coded: Sequence[Any], codebook: str) -> Scores:
        longest = max(len(one.ids) for one in coded)
        ids = np.zeros((len(coded), longest), dtype=np.int64)
        types, mask = np.zeros_like(ids), np.zeros((len(coded), longest), dtype=np.float32)
        for row, one in enumerate(coded):
            n = len(one.ids)
            ids[row, :n], types[row, :n], mask[row, :n] = one.ids, one.type_ids, 1
        output, codes = self.layout.themes.get(codebook, ("", ()))
        stances = self.layout.stances.get(codebook, "")
        wanted = ["sentiment", "mixed", "urgency", *filter(None, (output, stances))]
        given = {
            name: value
            for name, value in (("ids", ids), ("types", types), ("mask", mask))
            if name in self._given
        }
        found = dict(zip(wanted, self._session.run(wanted, given), strict=True))
        if not output:
            found[output] = np.zeros((len(coded), 0), dtype=np.float32)
        said = Scores(
            sentiment=np.nan_to_num(found["sentiment"]),
            mixed=np.nan_to_num(found["mixed"]).reshape(len(coded)),
            urgency=np.nan_to_num(found["urgency"]),
            themes=np.nan_to_num(found[output]),
            stances=found[stances] if stances else None,
        )
        _check(said, len(codes))
        return said


def _check(said: Scores, n_codes: int) -> None:
    n = len(said)
    wanted = (n, len(CLASSES)), (n, len(URGENCIES)), (n, n_codes)
    if (said.sentiment.shape, said.urgency.shape, said.themes.shape) != wanted:
        raise DamagedModelError("The network's outputs are not shaped as its manifest says.")


def _digest(text: str, prompt: str | None, codebook: str) -> bytes:
    told = f"{codebook}\0{prompt or ''}\0{text[:READ_CHARS]}"
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def order_stances(
    said: npt.NDArray[np.float32], codes: Sequence[str], wanted: Sequence[str]
) -> npt.NDArray[np.float32]:
    """Return stances ``(n, n_wanted, 4)`` in the order of other codes; what the network lacks is neutral."""
    neutral = np.full((len(said), 1, len(STANCES)), _NOT_ASKED, dtype=np.float32)
    neutral[:, :, STANCES.index("neu")] = 0.0
    place = [codes.index(code) if code in codes else len(codes) for code in wanted]
    return np.concatenate([said, neutral], axis=1)[:, place]
