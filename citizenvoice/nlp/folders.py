"""Folders of files with their digests: what models are kept in, refused when anything has changed."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MANIFEST, DIGESTS = "manifest.json", "SHA256SUMS"


class DamagedModelError(Exception):
    """A model folder is incomplete, was changed after it was written, or is of another format."""


def write_folder(folder: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any]) -> str:
    """Write files, manifest and digests, and return the digest of the whole."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    files = {**files, MANIFEST: text.encode()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    digests = "".join(f"{sha256(content)}  {name}\n" for name, content in sorted(files.items()))
    (folder / DIGESTS).write_text(digests, encoding="ascii")
    return sha256(digests.encode())


def read_folder(folder: Path, *, kind: str, version: int) -> tuple[dict[str, Any], dict[str, bytes], str]:
    """Return the manifest, the other files and the digest of a folder, having checked each of them.

    Raises
    ------
    DamagedModelError
        If a file is missing or does not match its digest, or the folder is not of this kind and version.
    """
    try:
        digests = (folder / DIGESTS).read_bytes()
        lines = [line.split("  ", 1) for line in digests.decode("ascii").splitlines()]
        expected = {name: digest for digest, name in lines}
        if MANIFEST not in expected or any(Path(name).name != name for name in expected):
            raise DamagedModelError(f"The list of files in {folder} is not one that was saved.")
        files = {name: (folder / name).read_bytes() for name in expected}
    except (OSError, ValueError) as error:
        raise DamagedModelError(f"The model in {folder} is incomplete.") from error
    for name, content in files.items():
        if expected[name] != sha256(content):
            raise DamagedModelError(f"{name} in {folder} is not the file that was saved.")
    return _manifest(files.pop(MANIFEST), folder, kind, version), files, sha256(digests)


def _manifest(content: bytes, folder: Path, kind: str, version: int) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(content)
        found = manifest.get("kind", "reader"), manifest.get("format")
    except (ValueError, AttributeError) as error:
        raise DamagedModelError(f"The manifest in {folder} cannot be read.") from error
    if found[0] != kind:
        raise DamagedModelError(f"{folder} holds a {found[0]}, not a {kind}.")
    if found[1] != version:
        raise DamagedModelError(
            f"The {kind} in {folder} is of format {found[1]}; this version reads format {version}."
        )
    return manifest


def sha256(content: bytes) -> str:
    """Return the digest of some bytes in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
