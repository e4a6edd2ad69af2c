"""Colour contrast after WCAG 2.2, and the stylesheet that gives an agency its own accent colour."""

import re

LIGHT_PAPER = "#ffffff"
DARK_PAPER = "#10181d"
MINIMUM_TEXT_CONTRAST = 4.5

_HEX = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two ``#rrggbb`` colours, between 1 and 21.

    Raises ValueError if a colour is not written as ``#rrggbb``.

    References
    ----------
    .. [1] W3C (2023). Web Content Accessibility Guidelines 2.2, "contrast ratio".
    """
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def is_readable_accent(colour: str) -> bool:
    """Say whether a colour can be text on white paper, and carry white text, as an accent must."""
    return bool(_HEX.fullmatch(colour)) and contrast(colour, LIGHT_PAPER) >= MINIMUM_TEXT_CONTRAST


def accent_css(colour: str) -> str:
    """Return the stylesheet that puts an agency's accent in place of ours, in light and in dark.

    In dark mode the same hue is made lighter until it can be read, so that the agency
    chooses one colour and nothing breaks.

    Raises ValueError if the colour cannot be read on white.
    """
    if not is_readable_accent(colour):
        raise ValueError(f"{colour} has less contrast than {MINIMUM_TEXT_CONTRAST}:1 on white")
    strong, soft = mix(colour, "#000000", 0.25), mix(colour, LIGHT_PAPER, 0.9)
    light = _declarations(colour, strong, soft, LIGHT_PAPER)
    bright = _lightened(colour)
    dark = _declarations(bright, mix(bright, "#ffffff", 0.4), mix(bright, DARK_PAPER, 0.82), DARK_PAPER)
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def mix(colour: str, other: str, share: float) -> str:
    """Return the colour that lies ``share`` (in [0, 1]) of the way from one to the other."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _lightened(colour: str) -> str:
    """Return the colour mixed with the least white that can be read at 7:1 on dark paper."""
    for step in range(21):
        bright = mix(colour, "#ffffff", step / 20)
        if contrast(bright, DARK_PAPER) >= MINIMUM_TEXT_CONTRAST + 2.5:
            return bright
    return "#ffffff"


def _declarations(accent: str, strong: str, soft: str, on_accent: str) -> str:
    return (
        f"--cv-accent:{accent};--cv-accent-strong:{strong};--cv-accent-soft:{soft};--cv-on-accent:{on_accent}"
    )


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> tuple[int, int, int]:
    if not _HEX.fullmatch(colour):
        raise ValueError(f"{colour!r} is not a colour written as #rrggbb")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
