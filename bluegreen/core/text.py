"""Words for people: numbers with their nouns; text from outside, which may hold anything, secrets too."""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

_URL = re.compile(
    r"(\b[a-z][a-z0-9+.-]{1,20}://)(?:[^\s/?#@\"'<>]*@)?([^\s?#\"'<>]*)([?#][^\s\"'<>]*)?", re.IGNORECASE
)
_NAMED = re.compile(
    r"([\w-]{0,20}(?:token|secret|passw(?:or)?d|signature|credential|authorization|api[-_]?key)[\w-]{0,20}[\"']?\s*)"
    r"(?:(=\s*[\"']?)[^\s\"'&,;<>]+|(:\s*[\"']?)(?=[^\s\"',;<>]*\d)[^\s\"',;<>]{8,})",
    re.IGNORECASE,
)
_TOKENS = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"  # access key ids (IAM user guide, "IAM identifiers")
    r"|\b[0-9a-fA-F]{64}\b"  # signatures
    # What is long and mixed as Base64 is: secret keys, session tokens, encoded messages, user data.
    r"|(?<![\w+/=:.-])(?=[a-z0-9+/=]*[A-Z])(?=[A-Z0-9+/=]*[a-z])(?=[A-Za-z+/=]*\d)[A-Za-z0-9+/=]{32,}"
)


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 instance``, ``2 instances``, ``0 instances``.

    Args:
        number: How many.
        noun: What, as one of it is called; the plural ends in s.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def plain(number: float) -> str:
    """A number to three places, without an exponent and without zeros at its end.

    Args:
        number: Any; times are in eighths of a second, and three places hold those exactly.
    """
    return f"{number:.3f}".rstrip("0").rstrip(".")


def redacted(text: str) -> str:
    """The text without what looks like a secret.

    Hidden are: user names and queries of URLs, what is named token, secret, password or the like, access key
    ids, and words that are as long and mixed as keys, tokens and signatures are. ARNs and names stay.

    Args:
        text: Anything.
    """
    text = _URL.sub(lambda m: f"{m[1]}{m[2]}{'?' + HIDDEN if m[3] else ''}", text)
    text = _NAMED.sub(lambda m: f"{m[1]}{m[2] or m[3]}{HIDDEN}", text)
    return _TOKENS.sub(HIDDEN, text)


def escaped(text: str, limit: int) -> str:
    """The text on one line, control characters escaped.

    Args:
        text: Anything.
        limit: How many characters to keep: the first ones, or with a negative limit the last ones.
    """
    line = repr(text)[1:-1]
    return line[limit:] if limit < 0 else line[:limit]
