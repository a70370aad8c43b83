"""Finds and fetches a repository safely into a fresh bare folder: one commit, nothing of it runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from gitops_writer.records import Source
from pipeline.errors import PipelineError
from pipeline.git import FETCH_SECONDS, Access, GitFailed, Hardened, hardened
from pipeline.git_tree import GitTree, read_tree

__all__ = [
    "Target",
    "describe",
    "fetch",
    "opened",
    "parse_target",
    "project_name",
    "resolve",
    "snapshot",
]

WORK_TREE = ("-c", "core.bare=false")
SCHEMES = ("https", "ssh", "http", "file")
SCP_LIKE = re.compile(r"^(?:[A-Za-z0-9_][\w.-]*@)?[A-Za-z0-9][\w.-]*:(?!//)[^:\s]+$", re.ASCII)
# Follows the name of an annotated tag on the line of the commit that it stands for.
PEELED = "^{}"
OBJECT_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
REF = re.compile(r"^(?!-)(?!.*\.\.)(?!.*[\x00-\x20~^:?*\[\\\x7f])[^/].{0,250}$")


@dataclass(frozen=True, slots=True)
class Target:
    """What a person named: ``url`` for git, ``shown`` without credentials, ``folder`` when it is a local path."""

    url: str
    shown: str
    folder: Path | None


def parse_target(text: str, *, allow_http: bool = False) -> Target:
    """Return the target that ``text`` (a path or a git URL) names.

    Raises PipelineError for a path that isn't there, a scheme that isn't allowed, or credentials within a URL.
    """
    if "://" in text:
        return _url(text, allow_http=allow_http)
    folder = _folder(text)
    if folder is not None:
        return Target(str(folder), str(folder), folder)
    if SCP_LIKE.match(text):
        return Target(text, text, None)
    raise _not_found(text, "and it isn't a git URL either")


def _folder(text: str) -> Path | None:
    try:
        folder = Path(text).expanduser()
        return folder.resolve() if text and folder.exists() else None
    except (OSError, RuntimeError, ValueError) as error:  # too long, not ours to see, a home that nobody has
        raise _not_found(text[:200], getattr(error, "strerror", None) or str(error)) from error


def _not_found(text: str, why: str) -> PipelineError:
    fix = "give the path of a folder, or a git URL such as https://git.example.com/team/app.git"
    return PipelineError("source.not_found", f"there is no folder {text}".rstrip(), why=why, fix=fix)


def _url(text: str, *, allow_http: bool) -> Target:
    parts = _split(text)
    if parts.scheme not in SCHEMES or text.startswith("-") or any(ord(c) < 0x21 for c in text):
        fix = f"use one of {', '.join(SCHEMES[:2])}"
        raise PipelineError("source.scheme", f"{parts.scheme}:// can't be fetched", why="it isn't allowed", fix=fix)
    if parts.password is not None or (parts.username and parts.scheme != "ssh"):
        raise PipelineError(
            "source.credentials_in_url",
            "the URL holds credentials",
            why="they would end up in logs and process lists",
            fix="put the token in a file: --git-token-file FILE [--git-username NAME]",
        )
    if parts.scheme == "http" and not (allow_http or _loopback(parts.hostname)):
        fix = "use https, or set git_allow_http for a network that you trust"
        raise PipelineError("source.plain_http", "plain http can be changed on its way", fix=fix)
    folder = Path(unquote(parts.path)) if parts.scheme == "file" else None
    return Target(text, urlunsplit(parts._replace(query="", fragment="")), folder)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        if (parts.hostname or parts.scheme == "file") and parts.port != 0 and text.isprintable():
            return parts
        why = "it names no server, or holds characters that no URL has"
    except ValueError as error:
        why = str(error)
    fix = "give a git URL such as https://git.example.com/team/app.git"
    raise PipelineError("source.url", "this is no URL of a git repository", why=why, fix=fix)


def _loopback(host: str | None) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")


def project_name(target: Target) -> str:
    """Return the project's name: owner, repository and four digits of a hash of the canonical URL or path.

    A DNS label of at most 53 characters.
    """
    canonical = re.sub(r"(\.git)?/*$", "", target.shown)
    words = [re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in re.split(r"[/:]", canonical)]
    named = [word for word in words if word][-2:]
    digits = int(hashlib.sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest(), 16) % 10_000
    stem = "-".join(named)[:48].strip("-") or "app"
    return f"{stem if stem[0].isalpha() else 'p-' + stem[:46]}-{digits:04d}"


def resolve(target: Target, branch: str | None, access: Access) -> tuple[str, str]:
    """Return the branch and the commit (40 hex) that ``branch``, or the remote's HEAD, stands at, once.

    Raises PipelineError when nothing can be reached, the repository is empty, or the branch isn't there.
    """
    if branch is not None and not REF.match(branch):
        fix = "give the name of a branch or tag, such as main"
        raise PipelineError("source.branch_name", f"{branch!r} can't be a branch's name", fix=fix)
    with hardened(Path("/"), _trusting(access, target)) as git:
        listed = _ask(git, target, access)
    refs, standing = _refs(listed)
    branches = sorted(name.removeprefix("refs/heads/") for name in refs if name.startswith("refs/heads/"))
    if not refs:
        fix = "commit something and push it, then run this again"
        raise PipelineError(
            "source.empty", f"{target.shown} is empty: it has no commit", fix=fix, kind="not_deployable"
        )
    if branch is None:
        if "HEAD" in refs:
            return standing, refs["HEAD"]
        raise _no_branch(target, standing, branches)
    for candidate in (f"refs/heads/{branch}", f"refs/tags/{branch}^{{}}", f"refs/tags/{branch}"):
        if candidate in refs:
            return branch, refs[candidate]
    raise _no_branch(target, branch, branches)


def _refs(listed: str) -> tuple[dict[str, str], str]:
    """Return the refs of a listing with their commits, and the branch that HEAD is on (``HEAD``: none).

    The other side may have written anything: what isn't a ref is passed over.
    """
    lines = [line.partition("\t") for line in listed.split("\n")]
    refs = {
        name: oid
        for oid, _, name in lines
        if OBJECT_ID.fullmatch(oid) and REF.match(name.removesuffix(PEELED)) and name.isprintable()
    }
    heads = [text.removeprefix("ref: refs/heads/") for text, _, name in lines if name == "HEAD"]
    return refs, next((name for name in heads if f"refs/heads/{name}" in refs), "HEAD")


def _no_branch(target: Target, branch: str, branches: Sequence[str]) -> PipelineError:
    shown = ", ".join(branches[:10]) + (" ..." if len(branches) > 10 else "")
    why = f"its branches are: {shown}" if branches else "it has no branches"
    fix = "choose one with --branch"
    return PipelineError("source.no_such_branch", f"{target.shown} has no branch {branch}", why=why, fix=fix)


def _trusting(access: Access, target: Target) -> Access:
    # A folder that somebody names on the command line is theirs to read, whoever owns it.
    folder = str(target.folder) if target.folder else None
    return Access(access.username, access.token_file, access.allow_http, folder)


def _ask(git: Hardened, target: Target, access: Access) -> str:
    if target.folder is not None:
        _refuse_part(git, target, target.folder)
    try:
        return git.call("ls-remote", "--symref", "--", target.url)
    except GitFailed as error:
        raise _unreachable(target, access, error.told) from error


def _refuse_part(git: Hardened, target: Target, folder: Path) -> None:
    """Raise PipelineError unless ``folder`` is a repository itself."""
    try:
        git.call("-C", str(folder), "rev-parse", "--git-dir")
        above = git.call("-C", str(folder), "rev-parse", "--show-prefix").strip("/\n")
    except GitFailed as error:
        raise PipelineError(
            "source.not_a_repository",
            f"{target.shown} is not a git repository",
            why=error.told,
            fix="run `git init && git add -A && git commit -m first` there, or deploy it as it is with --dirty",
        ) from error
    if above:
        top = str(folder).removesuffix(above).rstrip("/")
        fix = f"name the repository, and the folder in it: {top} --root {above}"
        what = f"{target.shown} is a part of the repository {top}"
        raise PipelineError("source.part", what, why="commits are of a whole repository", fix=fix)


def _unreachable(target: Target, access: Access, told: str) -> PipelineError:
    """Explain why a remote can't be read; over http its own status code says it, not git's wording."""
    status = _http_status(target, access)
    what = f"{target.shown} can't be read"
    if status in (401, 403) and access.token_file is None:
        fix = "give a token: --git-token-file FILE [--git-username NAME]"
        return PipelineError("source.needs_credentials", what, why="it is private", fix=fix)
    if status in (401, 403):
        fix = "check the token in the file, its expiry and that it may read this repository"
        return PipelineError("source.wrong_credentials", what, why="the server refused the credentials", fix=fix)
    if status == 404:
        fix = "check the URL; many servers also answer so for a private repository: --git-token-file FILE"
        return PipelineError("source.not_found", what, why="the server says that it isn't there", fix=fix)
    fix = "check the URL and the network, then run the same command again"
    return PipelineError("source.unreachable", what, why=told, fix=fix, kind="outside", retryable=True)


def _http_status(target: Target, access: Access) -> int | None:
    if not target.url.startswith(("http://", "https://")):
        return None
    import ssl

    import httpx

    token = access.token_file.read_text(encoding="utf-8").strip() if access.token_file else None
    auth = (access.username or "git", token) if token else None
    url = target.url.rstrip("/") + "/info/refs?service=git-upload-pack"
    try:
        # The machine's own authorities, as git has them, and no more of the answer than its first line.
        trust = ssl.create_default_context()
        with httpx.stream("GET", url, auth=auth, timeout=10, follow_redirects=False, verify=trust) as answer:
            return answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError):
        return None


def fetch(target: Target, commit: str, branch: str, into: Path, access: Access) -> None:
    """Fetch ``commit`` alone into the bare repository ``into``: no history, tags, submodules or large files."""
    with hardened(Path("/"), _trusting(access, target)) as git:
        git.call("init", "--bare", "--quiet", str(into))
        ref = "HEAD" if branch == "HEAD" else branch
        common = ("-C", str(into), "fetch", "--quiet", "--no-tags", "--depth=1", "--no-recurse-submodules")
        for wanted in (commit, ref):
            try:
                git.call(*common, "--", target.url, wanted, seconds=FETCH_SECONDS)
                git.call("-C", str(into), "cat-file", "-e", f"{commit}^{{commit}}")
            except GitFailed as error:
                # Older servers refuse a bare commit id; then the branch is asked for by name.
                failure = error
            else:
                git.call("-C", str(into), "update-ref", "refs/shipway/source", commit)
                return
        raise _unreachable(target, access, failure.told) from failure


def snapshot(folder: Path, into: Path) -> str:
    """Store the files of ``folder`` as they are, ignored ones left out, as a commit in ``into``; return its id."""
    with hardened(Path("/"), Access(trusted_folder=str(folder))) as git:
        git.call("init", "--bare", "--quiet", str(into))
        common = ("--git-dir", str(into), "--work-tree", str(folder), *WORK_TREE, "-c", "core.autocrlf=false")
        try:
            git.call("-C", str(folder), *common, "add", "-A", "--", ".", seconds=FETCH_SECONDS)
        except GitFailed as error:
            fix = "make its files readable, or name what doesn't belong to the app in .gitignore"
            what = f"the files of {folder} can't be read"
            raise PipelineError("source.unreadable", what, why=error.told, fix=fix) from error
        tree = git.call(*common, "write-tree").strip()
        who = ("-c", "user.name=shipway", "-c", "user.email=shipway@localhost")
        commit = git.call("--git-dir", str(into), *who, "commit-tree", "-m", "uncommitted changes", tree).strip()
        git.call("--git-dir", str(into), "update-ref", "refs/shipway/source", commit)
        return commit


@contextmanager
def opened(target: Target, branch: str | None, access: Access, scratch: Path) -> Iterator[GitTree]:
    """Give the tree of ``target`` at ``branch``, fetched into the fresh folder ``scratch``."""
    name, commit = resolve(target, branch, access)
    fetch(target, commit, name, scratch, access)
    yield read_tree(scratch, commit)


def describe(target: Target, branch: str, commit: str, *, dirty: bool) -> Source:
    """Return where the code came from, as it is recorded in a release."""
    return Source(repository=target.shown, branch=branch, commit=commit, dirty=dirty)
