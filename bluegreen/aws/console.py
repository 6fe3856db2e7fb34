"""What an instance wrote on its console, as EC2 keeps it, and the host keys of its SSH server in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .errors import AwsError, code_of

if TYPE_CHECKING:
    from .clients import Services

# cloud-init, module "keys to console": the public host keys, between these lines, once they are made.
_KEYS = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)
_KEY = re.compile(r"\b((?:ssh|ecdsa)-[a-z0-9-]+) (AAAA[A-Za-z0-9+/]+={0,2})(?=\s|$)")


def output(read: Services, instance: str) -> str:
    """The last 64 KB that the instance wrote; empty while EC2 has none.

    Instances on Nitro show what is there now, others what was posted some minutes after their start (EC2 API
    reference, GetConsoleOutput).
    """
    try:
        answer = read.ec2.get_console_output(InstanceId=instance, Latest=True)
    except AwsError as error:
        if code_of(error) != "UnsupportedOperation":
            raise
        answer = read.ec2.get_console_output(InstanceId=instance)
    return answer.get("Output", "")


def host_keys(written: str) -> list[str]:
    """The host keys that cloud-init wrote at the first boot, each as ``algorithm base64``."""
    found = _KEYS.search(written)
    return [" ".join(key) for key in _KEY.findall(found[1])] if found else []
