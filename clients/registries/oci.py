"""An OCI distribution registry: does it have this digest, and give this digest another tag."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clients.errors import ClientError

if TYPE_CHECKING:
    import ssl

    import httpx

__all__ = ["Registry", "RegistryError"]

MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class RegistryError(ClientError):
    """The registry refused, failed or couldn't be reached."""


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry at ``host`` (``name:port``, no scheme); the password stays in its file until it is asked for.

    A registry on the loopback interface is spoken to by plain http, as container engines do.
    """

    host: str
    username: str | None = None
    password_file: Path | None = None
    ca_bundle: Path | None = None

    @property
    def password(self) -> str | None:
        """The password, read now. Raises RegistryError where its file can't be read."""
        try:
            return self.password_file.read_text(encoding="utf-8").strip() if self.password_file else None
        except (OSError, UnicodeDecodeError) as error:
            what, fix = f"the password file {self.password_file} can't be read", "correct registry_password_file"
            raise RegistryError("registry.password_file", what, why=str(error), fix=fix) from error

    def digest(self, repository: str, reference: str) -> str | None:
        """Return the manifest digest of ``reference`` (a tag or digest) in ``repository``, or None if it isn't there.

        ``repository`` has no host. Raises RegistryError for any answer that is neither.
        """
        answer = self._ask("HEAD", repository, reference)
        if answer.status_code == 404:
            return None
        self._expect(answer, f"asking for {repository}@{reference}")
        return str(answer.headers.get("Docker-Content-Digest", ""))

    def tag(self, repository: str, digest: str, tag: str) -> None:
        """Give the manifest ``digest`` in ``repository`` the further name ``tag``; nothing is uploaded again."""
        found = self._ask("GET", repository, digest)
        self._expect(found, f"reading {repository}@{digest}")
        if digest != f"sha256:{hashlib.sha256(found.content).hexdigest()}":
            raise self._senseless(f"what it gives as {repository}@{digest} has another digest")
        put = self._ask("PUT", repository, tag, body=found.content, kind=found.headers.get("Content-Type", ""))
        self._expect(put, f"tagging {repository}@{digest} as {tag}")

    def _ask(
        self, method: str, repository: str, reference: str, *, body: bytes = b"", kind: str = ""
    ) -> httpx.Response:
        import httpx

        url = f"{self._scheme}://{self.host}/v2/{repository}/manifests/{reference}"
        headers = {"Accept": ", ".join(MANIFEST_TYPES)} | ({"Content-Type": kind} if kind else {})
        auth = (self.username, self.password or "") if self.username else None
        try:
            with httpx.Client(timeout=20, verify=self._trust()) as http:
                answer = http.request(method, url, headers=headers, content=body or None, auth=auth)
                challenge = answer.headers.get("WWW-Authenticate", "")
                if answer.status_code == 401 and challenge.lower().startswith("bearer"):
                    headers["Authorization"] = f"Bearer {self._token(http, challenge, auth)}"
                    answer = http.request(method, url, headers=headers, content=body or None)
        except httpx.InvalidURL as error:
            raise self._senseless(str(error)) from error
        except httpx.HTTPError as error:
            raise RegistryError(
                "registry.unreachable",
                f"the registry {self.host} can't be reached",
                why=str(error) or type(error).__name__,
                fix="check that it runs and that its address is right, then run the same command again",
                kind="outside",
                retryable=True,
            ) from error
        return answer

    @property
    def _scheme(self) -> str:
        name = self.host.rsplit(":", 1)[0]
        return "http" if name in ("localhost", "127.0.0.1", "[::1]") else "https"

    def _trust(self) -> bool | ssl.SSLContext:
        import ssl

        return ssl.create_default_context(cafile=str(self.ca_bundle)) if self.ca_bundle else True

    def _token(self, http: httpx.Client, challenge: str, auth: tuple[str, str] | None) -> str:
        parts = dict(CHALLENGE.findall(challenge))
        if self._scheme == "https" and not parts.get("realm", "").startswith("https://"):
            raise self._senseless("it wants the password sent by plain http, or nowhere")
        query = {name: parts[name] for name in ("service", "scope") if name in parts}
        answer = http.get(parts.get("realm", ""), params=query, auth=auth)
        self._expect(answer, "asking for a token")
        try:
            document = answer.json()
            return str(document.get("token") or document.get("access_token") or "")
        except (ValueError, AttributeError) as error:
            raise self._senseless("its token service answered no JSON object") from error

    def _senseless(self, why: str) -> RegistryError:
        what, fix = (
            f"the registry {self.host} answered what no registry answers",
            "check that registry names a registry",
        )
        return RegistryError("registry.senseless", what, why=why, fix=fix, kind="outside")

    def _expect(self, answer: httpx.Response, doing: str) -> None:
        if answer.is_success:
            return
        status = answer.status_code
        fix = "try again later"
        if status in (401, 403):
            fix = "check registry_username and registry_password_file, and that this account may do it"
        raise RegistryError(
            "registry.refused",
            f"the registry {self.host} refused",
            why=f"{doing}: HTTP {status} {_said(answer)}".strip(),
            fix=fix,
            kind="outside",
            retryable=status >= 500 or status == 429,
        )


def _said(answer: httpx.Response) -> str:
    try:
        first = answer.json()["errors"][0]
        return f"{first.get('code', '')} {first.get('message', '')}".strip()
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
