"""Commands on a build instance by SSH, where Systems Manager does not reach it. Needs the extra ``ssh``.

Only host keys that are known beforehand are accepted: those of a file, or those that the instance itself
wrote on its console, which EC2 tells by its API. None is learnt from the connection that it should protect.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from attrs import define, frozen

from ..core.checks import Validated, checked, flag, matching, optional, whole
from ..core.errors import Fault, MissingExtra, PlanError
from ..core.observation import ErrorClass
from ..ports import CommandRun, RunCommand
from . import console, users
from .errors import Refused
from .names import DONE_TAG, tags
from .remote import Reached, begun

if TYPE_CHECKING:
    from asyncssh import SSHKey, SSHKnownHosts

    from .clients import Clients
    from .routing import Raw

_LOOK = """\
echo {token}
for d in /run/bluegreen-{token}-*; do
[ -d "$d" ] || continue
if [ -e "$d/ended" ]; then
echo "${{d##*-}} $(cat "$d/ended") $(wc -c <"$d/told")"
cat "$d/told"
else
echo "${{d##*-}} - 0"
fi
done
"""
"""For each command its index, exit code and how many bytes of output follow. First the token: what a login
shell may have said before it is skipped."""

_path = optional(lambda v: None if isinstance(v, str | Path) and str(v) else "must be a path")
_host = matching(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,253}", "a host name or an address")
_user = matching(r"[a-z_][a-z0-9_.-]{0,31}", "a user name")


@frozen(kw_only=True)
class Ssh(Validated):
    """How a build instance is reached by SSH.

    Args:
        user: Whom to log in as; None asks the name or description of the instance's image, and of those that
            it was made from. Who is not root must be allowed ``sudo`` without a password.
        key_file: A private key that the instance trusts, not encrypted; None takes those of the agent and
            the usual ones of ``~/.ssh``.
        known_hosts: A file of host keys in OpenSSH's form, ``@cert-authority`` lines included; None takes
            those that cloud-init wrote on the instance's console.
        host: Where the instance is, if not at its own address: the near end of a tunnel.
        private: Whether the private address is taken though there is a public one.
        port: The server's port.
        call_seconds: How long connecting, and how long an answer, may take.

    Raises:
        PlanError: With every fault.
    """

    user: str | None = checked(optional(_user), default=None)
    key_file: str | Path | None = checked(_path, default=None)
    known_hosts: str | Path | None = checked(_path, default=None)
    host: str | None = checked(optional(_host), default=None)
    private: bool = checked(flag, default=False)
    port: int = checked(whole(1, 65535), default=22)
    call_seconds: int = checked(whole(1, 600, "seconds"), default=20)


class _Failed(Exception):
    """Nobody answered as they should.

    Args:
        detail: Why, for people.
        error: Its class.
    """

    def __init__(self, detail: str, error: ErrorClass = ErrorClass.NOT_SENT) -> None:
        super().__init__(detail)
        self.error = error


@define
class _Host:
    """What is known of an instance: where it is, who may log in, and its host keys once they are known."""

    address: str
    users: tuple[str, ...] = ()
    keys: SSHKnownHosts | None = None


class SshRemote:
    """Runs commands as root, by a connection for each look and for each command.

    Args:
        clients: boto3 clients.
        ssh: How an instance is reached.

    Raises:
        MissingExtra: If the extra ``ssh`` is not installed.
        PlanError: If the key or the known hosts cannot be read.
    """

    forgets: ClassVar[bool] = True

    def __init__(self, clients: Clients, ssh: Ssh) -> None:
        try:
            import asyncssh
        except ImportError:
            raise MissingExtra("a build by SSH", "ssh") from None
        self._clients = clients
        self._ssh = ssh
        self._hosts: dict[str, _Host] = {}
        self._keys: Any = ()  # asyncssh's word for: those of the agent and the usual ones
        self._known: SSHKnownHosts | None = None
        faults = []
        try:
            if ssh.key_file is not None:
                self._keys = [asyncssh.read_private_key(Path(ssh.key_file).expanduser())]
        except (OSError, asyncssh.KeyImportError) as error:
            remedy = f"must be a private key without a passphrase, or be in the agent: {error}"
            faults.append(Fault("key_file", str(ssh.key_file), remedy))
        try:
            if ssh.known_hosts is not None:
                self._known = asyncssh.read_known_hosts(str(Path(ssh.known_hosts).expanduser()))
        except (OSError, ValueError) as error:
            faults.append(Fault("known_hosts", str(ssh.known_hosts), f"must be a known_hosts file: {error}"))
        if faults:
            raise PlanError(faults)

    def look(self, instance: Raw, token: str) -> Reached:
        """Ask the instance; of one that is stopped, its tag tells."""
        if instance["State"]["Name"] != "running":
            done = int(tags(instance.get("Tags", ())).get(DONE_TAG, 0))
            return Reached(runs=dict.fromkeys(range(done), CommandRun(exit_code=0)))
        try:
            told = self._ask(self._found(instance), _LOOK.format(token=token))
            return Reached(ready=True, runs=_parsed(told.partition(f"{token}\n".encode())[2]))
        except _Failed as no:
            return Reached(obstacle=str(no), hopeless=no.error.hopeless)

    def run(self, command: RunCommand) -> None:
        """Begin a command on an instance that was looked at."""
        if command.instance not in self._hosts:
            raise Refused(ErrorClass.NOT_SENT, f"{command.instance} was not looked at yet")
        try:
            self._ask(self._hosts[command.instance], begun(command))
        except _Failed as no:
            raise Refused(no.error, str(no)) from no

    # --------------------------------------------------------------------------------------- who, and where

    def _found(self, instance: Raw) -> _Host:
        ssh, name = self._ssh, instance["InstanceId"]
        public = None if ssh.private else instance.get("PublicIpAddress")
        address = ssh.host or public or instance.get("PrivateIpAddress")
        if not address:
            raise _Failed(f"{name} has no address yet")
        host = self._hosts.setdefault(name, _Host(address))
        host.address = address
        if not host.users:
            host.users = (ssh.user,) if ssh.user else users.users(self._clients.read, instance["ImageId"])
        if not host.users:
            raise _Failed(
                f"the name of {instance['ImageId']} does not tell whom to log in as: name the user",
                ErrorClass.IDENTITY,
            )
        host.keys = host.keys or self._known or self._written(name)
        return host

    def _written(self, instance: str) -> SSHKnownHosts:
        """The host keys that the instance wrote on its console."""
        import asyncssh

        keys = console.host_keys(console.output(self._clients.read, instance))
        if not keys:
            raise _Failed("its host keys are not on its console yet; a file of known hosts may name them")
        return asyncssh.import_known_hosts("".join(f"* {key}\n" for key in keys))

    # --------------------------------------------------------------------------------------------- talking

    def _ask(self, host: _Host, script: str) -> bytes:
        """What the script says, run by root's shell."""
        import asyncio

        denied = ""
        for user in host.users:
            try:
                return asyncio.run(self._answer(host, user, script))
            except _Denied as no:
                # On a fresh instance the key may not be there yet.
                denied = denied or str(no)
        raise _Failed(denied)

    async def _answer(self, host: _Host, user: str, script: str) -> bytes:
        import asyncio

        import asyncssh

        shown: list[str] = []

        class Met(asyncssh.SSHClient):
            def validate_host_public_key(self, _host: str, _addr: str, _port: int, key: SSHKey) -> bool:
                """Asked for a key that is not known: it stays so, and is told."""
                shown.append(key.get_fingerprint())
                return False

        where = f"{user}@{host.address}:{self._ssh.port}"
        connected = False
        try:
            async with asyncio.timeout(2 * self._ssh.call_seconds):
                async with asyncssh.connect(
                    host.address, client_factory=Met, **self._options(host, user)
                ) as connection:
                    connected = True
                    root = "/bin/sh -s" if user == "root" else "sudo -n /bin/sh -s"
                    ran = await connection.run(root, input=script.encode(), encoding=None)
        except asyncssh.PermissionDenied as error:
            raise _Denied(f"{where}: {error.reason}") from error
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed) as error:
            raise _Failed(self._untrusted(host, shown, error.reason), ErrorClass.IDENTITY) from error
        except (asyncssh.Error, OSError) as error:
            kind = ErrorClass.LOST if connected else ErrorClass.NOT_SENT
            raise _Failed(f"{where}: {str(error) or 'no answer in time'}", kind) from error
        told, said = ran.stdout, ran.stderr
        assert isinstance(told, bytes), "nothing is decoded"
        assert isinstance(said, bytes), "nothing is decoded"
        if ran.exit_status != 0:
            words = said.decode(errors="replace").strip() or f"the shell ended with {ran.exit_status}"
            lost = ran.exit_status is None
            raise _Failed(f"{where}: {words}", ErrorClass.LOST if lost else ErrorClass.NOT_SENT)
        return told

    def _options(self, host: _Host, user: str) -> dict[str, Any]:
        assert host.keys is not None, "no connection without known host keys"
        matched = host.keys.match(host.address, host.address, self._ssh.port)
        if not (matched[0] or matched[1]):
            raise _Failed(
                f"the host key of {host.address} is not known: put it into {self._ssh.known_hosts} from a "
                "source that you trust, or name no file, and the instance's console is asked",
                ErrorClass.IDENTITY,
            )
        return {
            "port": self._ssh.port,
            "username": user,
            "known_hosts": matched,
            "client_keys": self._keys,
            "agent_path": () if self._ssh.key_file is None else None,
            "agent_forwarding": False,
            "config": None,
            "preferred_auth": "publickey",
            "connect_timeout": self._ssh.call_seconds,
            "login_timeout": self._ssh.call_seconds,
        }

    def _untrusted(self, host: _Host, shown: list[str], reason: str) -> str:
        source = self._ssh.known_hosts or "the instance's console"
        return (
            f"{host.address} has not the host key that {source} names ({', '.join(shown) or reason}): "
            "it may be another host, so nothing was sent"
        )


class _Denied(Exception):
    """The user may not log in by the keys that there are."""


def _parsed(told: bytes) -> dict[int, CommandRun]:
    """Commands by their index, from what ``_LOOK`` says."""
    runs = {}
    try:
        while told:
            head, _, told = told.partition(b"\n")
            index, code, size = head.split()
            output, told = told[: int(size)], told[int(size) :]
            ended = code != b"-"
            runs[int(index)] = CommandRun(
                exit_code=int(code) if ended else None, output=output.decode(errors="replace")
            )
    except ValueError as error:
        raise _Failed(f"an answer that cannot be read: {error}") from error
    return runs
