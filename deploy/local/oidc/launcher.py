"""Runs the two test issuers as one child process, with the clients that it's told of."""

import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.node import install, node
from deploy.local.oidc.persons import people
from deploy.local.processes import Child, free_ports

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Client:
    """A relying party as it's registered at one issuer."""

    client_id: str
    jwks_file: Path
    """The public keys that its assertions are checked with: a JWKS, those with use `sig`."""
    redirect_uris: Sequence[str]
    post_logout_redirect_uris: Sequence[str] = ()
    backchannel_logout_uri: str | None = None

    def registration(self, port: int) -> dict[str, object]:
        """The client as server.mjs reads it."""
        return {
            "port": port,
            "client_id": self.client_id,
            "jwks_file": str(self.jwks_file),
            "redirect_uris": list(self.redirect_uris),
            "post_logout_redirect_uris": list(self.post_logout_redirect_uris),
            "backchannel_logout_uri": self.backchannel_logout_uri,
        }


class LocalOidc:
    """Test-ID-porten and Test-Ansattporten, each on a port of its own on 127.0.0.1."""

    def __init__(self, folder: Path, youths: Client, staff: Client, ports: tuple[int, int] | None = None, log: Path | None = None) -> None:
        """`folder`: where the settings file is written. `ports`: (ID-porten's, Ansattporten's); free ones by default."""
        self._folder = folder
        self._clients = (youths, staff)
        self.ports = ports or (free_ports(1)[0], free_ports(1)[0])
        self.log = log or folder / "oidc.log"
        self._child: Child | None = None

    @property
    def idporten(self) -> str:
        """The youths' issuer."""
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def ansattporten(self) -> str:
        """The staff's issuer."""
        return f"http://127.0.0.1:{self.ports[1]}"

    @property
    def pid(self) -> int:
        """The process id; 0 before the first start."""
        return self._child.pid if self._child else 0

    def start(self) -> "LocalOidc":
        """Installs the provider if need be, starts it and returns when both issuers answer; StartError otherwise."""
        install(HERE)
        self._folder.mkdir(parents=True, exist_ok=True)
        settings = self._folder / "oidc.json"
        youths, staff = self._clients
        issuers = {"idporten": youths.registration(self.ports[0]), "ansattporten": staff.registration(self.ports[1])}
        settings.write_text(json.dumps({**issuers, "youths": people()["youths"]}, indent=1))
        small = ["--max-old-space-size=64", "--max-semi-space-size=1", "--v8-pool-size=1", "--disable-warning=ExperimentalWarning"]
        self._child = Child("oidc", [node(), *small, HERE / "server.mjs", settings], self.log, cwd=HERE).start()
        self._child.wait_until(self._answers, 90, "answering")
        return self

    def _answers(self) -> bool:
        try:
            for issuer in (self.idporten, self.ansattporten):
                urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=2).close()  # noqa: S310 - our own
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """Ends the process; sessions are gone with it."""
        if self._child is not None:
            self._child.stop(grace=3)
