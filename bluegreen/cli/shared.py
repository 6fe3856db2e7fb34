"""A service's journal in a bucket, for all machines of a team."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import click
from attrs import frozen

from .folder import Folder

if TYPE_CHECKING:
    from bluegreen.aws import Account, S3Journal


@frozen(slots=False)
class Shared:
    """Where a service's journal is kept for everybody.

    Service, account and Region are in its name, so that one bucket serves all of them, and credentials that
    lead elsewhere find no deployment to disturb.

    Args:
        url: What ``--journal`` said.
        service: The service.
        account: The account and Region that are deployed to; the bucket is in reach of its credentials.
        said: The options that led to the account, by name; None was not said.
    """

    real: ClassVar[bool] = True

    url: str
    service: str
    account: Account
    said: Mapping[str, str | None]

    @classmethod
    def open(cls, url: str, service: str, said: Mapping[str, str | None]) -> Shared:
        """Find the account, and so the journal.

        Raises:
            BlueGreenError: If the options lead to no account.
        """
        from bluegreen.aws import Account

        return cls(url, service, Account.open(**said), said)

    @property
    def path(self) -> str:
        """The journal's URL."""
        return f"{self.url.rstrip('/')}/{self.service}@{self.account.id}-{self.account.region}"

    def journal(self) -> S3Journal:
        """The service's journal; reading makes nothing."""
        return self._journal

    @cached_property
    def _journal(self) -> S3Journal:
        from bluegreen.aws import S3Journal

        made = S3Journal.at(self.path, session=self.account.session, endpoint_url=self.account.endpoint_url)
        click.get_current_context().call_on_close(made.close)
        return made

    def claim(self, account: str, region: str) -> None:
        """Nothing: the name says whose deployments these are."""

    def words(self, file: Path | None) -> list[str]:
        """The arguments by which a command finds it again."""
        said = {"--journal": self.url} | {
            f"--{key.replace('_', '-')}": text for key, text in self.said.items()
        }
        found = [word for name, text in said.items() if text is not None for word in (name, text)]
        return [str(file or "FILE"), *found]


Home = Folder | Shared
"""Where a service's journal is kept."""


def home_in(
    account: Account,
    file: Path,
    service: str,
    *,
    state: Path | None,
    journal: str | None,
    said: Mapping[str, str | None],
) -> Home:
    """Where the journal of a service in an account is kept.

    Args:
        account: The account and Region.
        file: The plan file.
        service: The service.
        state: What ``--state`` said, which goes before the journal: that may stand in the environment.
        journal: What ``--journal`` said.
        said: The options that led to the account.

    Raises:
        BlueGreenError: If the folder is the simulator's, or another account's.
    """
    if journal is not None and state is None:
        return Shared(journal, service, account, said)
    return Folder.of_account(file, service, state, account=account.id, region=account.region)
