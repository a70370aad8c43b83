"""A commit's files from its git objects: the ``Tree`` that detection reads, and the build context."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detectors.errors import DetectionError
from pipeline.errors import PipelineError
from pipeline.git import FETCH_SECONDS, Blobs, GitFailed, hardened

__all__ = ["Entry", "GitTree", "read_tree", "write_context"]

MAX_ENTRIES = 200_000
MAX_FILE_BYTES = 256 * 1024 * 1024
MAX_CONTEXT_BYTES = 1024 * 1024 * 1024
READ_BYTES = 8 * 1024 * 1024
BATCH_BYTES = 64 * 1024 * 1024
LISTING_BYTES = 64 * 1024 * 1024
# Bytes that a file system takes, with room for the folder that the files are written to.
MAX_PATH, MAX_NAME = 2048, 255


@dataclass(frozen=True, slots=True)
class Entry:
    """A blob of the tree: ``mode`` (``100644``, ``100755``, ``120000``), object id, size in bytes."""

    mode: str
    oid: str
    size: int


class GitTree:
    """The ``Tree`` over one commit's git objects; symbolic links and submodules are not among its files."""

    def __init__(self, folder: Path, entries: Mapping[str, Entry]) -> None:
        self.folder = folder
        self._blobs = Blobs(folder)
        self.entries = entries
        self.paths: Sequence[str] = sorted(path for path, entry in entries.items() if entry.mode != "120000")
        self._known = frozenset(self.paths)

    def has(self, path: str) -> bool:
        """Tell whether ``path`` is a file of the tree."""
        return path in self._known

    def read(self, path: str) -> bytes:
        """Return the content of ``path``; raises DetectionError when it isn't there or is too big to be a manifest."""
        entry = self.entries.get(path)
        if entry is None or path not in self._known:
            raise DetectionError("tree.absent", f"{path} isn't in the repository", kind="not_deployable")
        if entry.size > READ_BYTES:
            what = f"{path} has {entry.size} bytes, too many for a manifest"
            raise DetectionError("tree.too_big", what, fix=f"the limit is {READ_BYTES} bytes", kind="not_deployable")
        return self._blobs.read(entry.oid)


def read_tree(folder: Path, commit: str) -> GitTree:
    """Return the tree of ``commit`` in the bare repository ``folder``; caps on entries hold.

    Raises PipelineError where there are too many, or where one path is a file and a folder at once.
    """
    with hardened(folder) as git:
        try:
            # A tree that names itself ten times over on ten levels is small and lists without end.
            listing = git.bytes("ls-tree", "-r", "-z", "-l", "--full-tree", commit, limit=LISTING_BYTES)
        except GitFailed as error:
            raise _unlisted(error.told) from error
    entries: dict[str, Entry] = {}
    for line in listing.split(b"\0")[:-1]:
        head, _, raw = line.partition(b"\t")
        mode, kind, oid, size = head.decode().split()
        if kind == "blob" and _is_safe(raw):
            entries[raw.decode("utf-8", "surrogateescape")] = Entry(mode, oid, int(size))
    if len(entries) > MAX_ENTRIES:
        raise _unlisted(f"it has more than {MAX_ENTRIES} files")
    _refuse_double_names(entries)
    return GitTree(folder, entries)


def _unlisted(why: str) -> PipelineError:
    what, fix = (
        "the repository's files can't be listed",
        "set `root` to the app's folder, or make the repository smaller",
    )
    return PipelineError("source.too_many_files", what, why=why, fix=fix, kind="not_deployable")


def _refuse_double_names(entries: Mapping[str, Entry]) -> None:
    # Git writes no such tree, but reads it: a link and a folder of one name would lead what lies below it elsewhere.
    folders: set[str] = set()
    for path in entries:
        above = path.rpartition("/")[0]
        while above and above not in folders:
            if above in entries:
                what, fix = f"the repository holds {above} twice", "commit it anew with git itself"
                raise PipelineError("source.malformed", what, why="as a file and as a folder", fix=fix)
            folders.add(above)
            above = above.rpartition("/")[0]


def _is_safe(path: bytes) -> bool:
    # By hand: PurePosixPath passes over the empty part of `app//etc/passwd`, which a name that holds a slash makes.
    parts = path.split(b"/") if len(path) <= MAX_PATH else (b"..",)
    return all(0 < len(part) <= MAX_NAME and part not in (b"..", b".") and part.lower() != b".git" for part in parts)


def write_context(tree: GitTree, root: str, folder: Path) -> None:
    """Write the files below ``root`` to the empty ``folder`` as a build context.

    The engine takes a file of the same size and time stamp for the one it has, so that each time stamp is made of the
    content: the same content keeps the build cache, and a change of one letter is always seen.
    Symbolic links are written as links only where they stay inside; raises PipelineError past the size limit.
    """
    prefix = "" if root == "." else root.rstrip("/") + "/"
    chosen = {path.removeprefix(prefix): entry for path, entry in tree.entries.items() if path.startswith(prefix)}
    total = sum(entry.size for entry in chosen.values())
    largest = max(chosen, key=lambda path: chosen[path].size, default=None)
    if largest and (total > MAX_CONTEXT_BYTES or chosen[largest].size > MAX_FILE_BYTES):
        why = f"the largest is {largest} with {chosen[largest].size} bytes"
        fix = "keep large files out of the repository, or set `root` to the app's folder"
        raise PipelineError("source.too_big", f"the files to build have {total} bytes", why=why, fix=fix)
    links: list[Path] = []
    for path, entry, data in _contents(tree, chosen):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == "120000":
            if 0 < len(data) <= MAX_PATH and b"\0" not in data:
                file.symlink_to(os.fsdecode(data))
                links.append(file)
            continue
        file.write_bytes(data)
        file.chmod(0o755 if entry.mode == "100755" else 0o644)
        stamp = _stamp(entry.oid)
        os.utime(file, ns=(stamp, stamp))
    _remove_leading_out(links, folder)


def _stamp(oid: str) -> int:
    """Return a time between 1980 and 1988 in nanoseconds, made of the object id ``oid`` alone."""
    return (315_532_800 + int(oid[:7], 16)) * 1_000_000_000 + int(oid[7:16], 16) % 1_000_000_000


def _remove_leading_out(links: Sequence[Path], folder: Path) -> None:
    # Only when all are there: a link may lead out through another one, whatever its own text looks like.
    inside = folder.resolve()
    for link in [one for one in links if _leads_out(one, inside)]:
        link.unlink()


def _leads_out(link: Path, inside: Path) -> bool:
    return link.readlink().is_absolute() or not Path(os.path.realpath(link)).is_relative_to(inside)


def _contents(tree: GitTree, chosen: Mapping[str, Entry]) -> Iterator[tuple[str, Entry, bytes]]:
    batch: list[str] = []
    size = 0
    for path in sorted(chosen):
        batch.append(path)
        size += chosen[path].size
        if size >= BATCH_BYTES:
            yield from _batch(tree, batch, chosen)
            batch, size = [], 0
    yield from _batch(tree, batch, chosen)


def _batch(tree: GitTree, paths: Sequence[str], chosen: Mapping[str, Entry]) -> Iterator[tuple[str, Entry, bytes]]:
    if not paths:
        return
    asked = "".join(f"{chosen[path].oid}\n" for path in paths).encode()
    with hardened(tree.folder) as git:
        limit = sum(chosen[path].size + 100 for path in paths)
        answer = git.bytes("cat-file", "--batch", stdin=asked, seconds=FETCH_SECONDS, limit=limit)
    at = 0
    for path in paths:
        start = answer.index(b"\n", at) + 1
        end = start + chosen[path].size
        if answer[at:start] != f"{chosen[path].oid} blob {chosen[path].size}\n".encode():
            raise GitFailed(f"{path} could not be read: {answer[at:start].decode('ascii', 'replace').strip()}")
        yield path, chosen[path], answer[start:end]
        at = end + 1
