"""The options of `serve`: those of a command that repeats a run, and those of its server."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from xnai_validate.cli.option_values import parsed_by
from xnai_validate.cli.repeating.options import RepeatedOptions
from xnai_validate.cli.running.options import PREFIX
from xnai_validate.errors import ConfigError


class Address(NamedTuple):
    """Where the server listens."""

    host: str
    port: int
    """0 for a free one."""

    @property
    def is_loopback(self) -> bool:
        """Whether only this host can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


DEFAULT_ADDRESS = Address("127.0.0.1", 9797)


def listen_address(text: str) -> Address:
    """Parse `HOST:PORT`, an IPv6 address in brackets; raises ValueError."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"{text} is not an address; write an IPv6 address in brackets, such as [::1]:9797")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text} is not an address; write HOST:PORT, such as 127.0.0.1:9797")
    return Address(host, int(port))


def _variable_of(name: str) -> str:
    """Return the environment variable of an option of the server."""
    return f"{PREFIX}SERVE_{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions(RepeatedOptions):
    """The command line of `serve`. The address that the stack sends alerts to is the variable `alerts.listen`."""

    listen: None = field(init=False, default=None)

    address: Annotated[
        Address,
        typer.Option(
            "--listen",
            metavar="HOST:PORT",
            parser=parsed_by(listen_address),
            envvar=_variable_of("LISTEN"),
            show_envvar=False,
            show_default=False,
            rich_help_panel="Server",
            help="Where the server listens (default: 127.0.0.1:9797); other than loopback needs --token-env.",
        ),
    ] = DEFAULT_ADDRESS
    token_env: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            envvar=_variable_of("TOKEN_ENV"),
            show_envvar=False,
            rich_help_panel="Server",
            help="The environment variable that holds the bearer token of clients.",
        ),
    ] = None
    tls_cert: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar=_variable_of("TLS_CERT"),
            show_envvar=False,
            rich_help_panel="Server",
            help="The certificate of the server, with its chain (PEM); then it speaks HTTPS.",
        ),
    ] = None
    tls_key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar=_variable_of("TLS_KEY"),
            show_envvar=False,
            rich_help_panel="Server",
            help="The private key of the certificate (PEM).",
        ),
    ] = None

    def __post_init__(self) -> None:
        RepeatedOptions.__post_init__(self)
        if (self.tls_cert is None) != (self.tls_key is None):
            raise typer.BadParameter("--tls-cert and --tls-key go together")


def token_of(options: ServeOptions, environ: dict[str, str]) -> str | None:
    """Return the token of clients; None on loopback without one. Raises ConfigError where one is missing."""
    if options.token_env is None:
        if options.address.is_loopback:
            return None
        raise ConfigError(
            f"{options.address.host} can be reached from other hosts, and reports show how the stack works inside",
            hint="name the environment variable of a token: --token-env NAME; or listen on loopback",
        )
    token = environ.get(options.token_env, "")
    if len(token) < 16 or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"the environment variable {options.token_env} holds no token of at least 16 printable characters",
            hint="make one with: openssl rand -hex 24",
        )
    return token
