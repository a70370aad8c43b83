"""The stages of a deploy, one method each: documents in, the stage's own document out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from detectors.detect import detect
from gitops_writer.charts import chart_version
from gitops_writer.records import Chart, Draft, ImageRef, Source
from gitops_writer.writer import write
from pipeline import publish as publishing
from pipeline.build_context import lay_out
from pipeline.build_secrets import build_secrets
from pipeline.dockerfile import dockerfile, dockerignore
from pipeline.engines.docker import BuildRequest, build, image_digest
from pipeline.errors import PipelineError
from pipeline.git_tree import GitTree, read_tree
from pipeline.plans import plan
from pipeline.policy import Policy, load_policy
from pipeline.preview.committed import committed_workload
from pipeline.preview.sync import Live
from pipeline.runs.begin import access_of
from pipeline.runs.documents import (
    CommitDocument,
    DetectionDocument,
    DraftDocument,
    ImageDocument,
    PlanDocument,
    PublishedDocument,
    ScanDocument,
    SourceDocument,
)
from pipeline.runs.events import Events
from pipeline.runs.folder import RunFolder, fingerprint
from pipeline.runs.ledger import Ledger
from pipeline.scan import refusal, scan, unscannable
from pipeline.session import Session
from pipeline.source import Target, describe, fetch, snapshot
from pipeline.undeployable import undeployable
from pipeline.vulnerability_database import database_updated_at, has_java_database, provide_database
from resources import charts

__all__ = ["Stages"]

SOURCE = "source.git"


class Stages:
    """The stages of one run: each takes the documents before it and returns its own."""

    def __init__(self, session: Session, folder: RunFolder, events: Events) -> None:
        self._session = session
        self._folder = folder
        self._events = events
        self._ledger = Ledger(folder, events)
        self._run = folder.run
        self._spec = self._run.spec

    def finish(self) -> None:
        """Mark the run as deployed; its copy of the source goes."""
        self._folder.update(state="deployed")
        shutil.rmtree(self._folder.path / SOURCE, ignore_errors=True)

    def checkout(self, target: Target) -> SourceDocument:
        """Fetch the one commit into the run folder's bare repository."""
        inputs = fingerprint(self._spec)
        repository = self._folder.path / SOURCE

        def make() -> SourceDocument:
            shutil.rmtree(repository, ignore_errors=True)
            if self._spec.dirty and target.folder is not None:
                commit = snapshot(target.folder, repository)
                if commit != self._spec.commit:
                    raise PipelineError("source.changed", "the folder changed meanwhile", fix="run it again")
            else:
                branch, access = self._spec.branch or "HEAD", access_of(self._session.config)
                fetch(target, self._spec.commit, branch, repository, access)
            source = describe(target, self._spec.branch or "", self._spec.commit, dirty=self._spec.dirty)
            return SourceDocument("shipway/run/source/v1", inputs, source)

        return self._ledger.once(
            "checkout", "source", SourceDocument, inputs, make, still=lambda _: repository.is_dir()
        )

    def detect(self, source: SourceDocument) -> DetectionDocument:
        """Find out what the repository is; raises PipelineError (``not_deployable``) with the reason."""
        offline = self._session.offline
        # Another version of Shipway may see more in the same files.
        inputs = fingerprint(source.source, self._spec.overrides, offline, version("shipway"))

        def make() -> DetectionDocument:
            found = detect(self._tree(source.source), overrides=self._spec.overrides, offline=offline)
            return DetectionDocument("shipway/run/detection/v1", inputs, found)

        document = self._ledger.once("detect", "detection", DetectionDocument, inputs, make)
        refused = undeployable(document.detection)
        if refused:
            raise refused
        for item in (one for service in document.detection.services for one in service.evidence):
            if item.fact == "warning":
                self._events.emit("detect", "progress", f"warning: {item.why} ({item.file}:{item.line})")
        return document

    def plan(self, detection: DetectionDocument) -> PlanDocument:
        """Plan each service's image and write its Dockerfile."""
        bases = self._session.bases
        inputs = fingerprint(detection.detection, dict(bases), version("shipway"))
        scope = self._spec.workspace

        def make() -> PlanDocument:
            plans = {service.name: plan(service) for service in detection.detection.services}
            used = {stage.base for one in plans.values() for stage in one.stages} & set(bases)
            return PlanDocument(
                "shipway/run/plan/v1",
                inputs,
                plans,
                {name: dockerfile(one, bases, cache_scope=scope) for name, one in plans.items()},
                {name: dockerignore(one) for name, one in plans.items()},
                {key: bases[key] for key in sorted(used)},
            )

        return self._ledger.once("plan", "plan", PlanDocument, inputs, make)

    def build(self, source: SourceDocument, plans: PlanDocument) -> ImageDocument:
        """Build each service's image in the engine."""
        policy, cache = self._scanning("build")
        hopeless = unscannable(policy, cache)
        if hopeless:
            # Known before the minutes of a build, not after them.
            raise hopeless
        secrets = build_secrets(self._session.config, self._session.home / "secrets")
        inputs = fingerprint(source.source, plans.dockerfiles, plans.ignores, plans.bases, sorted(secrets))

        def make() -> ImageDocument:
            self._session.provide_bases(set(plans.bases), self._log("build"))
            tree, engine = self._tree(source.source), self._session.engine.environment()
            images = {}
            for name, one in plans.services.items():
                folder = self._folder.path / "build" / name
                tag = f"{self._session.registry.host}/{self._repository(name)}:{self._tag(source.source)}"
                request = BuildRequest(
                    context=lay_out(folder, tree, one.service.root, plans.dockerfiles[name], plans.ignores[name]),
                    dockerfile=folder / "Dockerfile",
                    tag=tag,
                    labels=self._labels(source.source),
                    secrets=secrets,
                    bases=plans.bases,
                    network=self._session.config.build_network,
                    timeout=self._session.config.build_timeout,
                )
                try:
                    images[name] = build(self._session.docker, engine, request, on_line=self._log("build"))
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
            return ImageDocument("shipway/run/image/v1", inputs, images)

        return self._ledger.once("build", "image", ImageDocument, inputs, make, still=self._images_are_there)

    def scan(self, images: ImageDocument) -> ScanDocument:
        """Scan each image; raises PipelineError (``policy``) naming what refuses it."""
        config = self._session.config
        policy, cache = self._scanning("scan")
        inputs = fingerprint(
            sorted(one.digest for one in images.services.values()),
            policy,
            database_updated_at(cache),
            has_java_database(cache),
        )

        def make() -> ScanDocument:
            host = self._session.engine.docker_host
            reports = {
                name: scan(
                    image,
                    policy,
                    policy_name=config.scan_policy,
                    cache=cache,
                    docker_host=host,
                    may_download=config.trivy_db is None,
                )
                for name, image in images.services.items()
            }
            return ScanDocument("shipway/run/scan/v1", inputs, reports)

        document = self._ledger.once("scan", "scan", ScanDocument, inputs, make)
        for name, report in document.services.items():
            refused = refusal(name, report)
            if refused:
                raise refused
            if report.verdict == "unscanned":
                text = f"warning: {name} is UNSCANNED: no vulnerability database could be had"
                self._events.emit("scan", "progress", text)
        return document

    def _scanning(self, stage: str) -> tuple[Policy, Path]:
        config, cache = self._session.config, self._session.home / "trivy"
        provide_database(cache, config.trivy_db, on_line=self._log(stage))
        return load_policy(config.scan_policy), cache

    def push(self, source: SourceDocument, images: ImageDocument, reports: ScanDocument) -> PublishedDocument:
        """Push each image, tagged with commit and run, and confirm it in the registry."""
        registry = self._session.registry
        inputs = fingerprint(reports.inputs, registry.host)

        def make() -> PublishedDocument:
            published = {
                name: publishing.publish(
                    self._session.docker,
                    registry,
                    image,
                    repository=self._repository(name),
                    tag=self._tag(source.source),
                    on_line=self._log("push"),
                )
                for name, image in images.services.items()
            }
            return PublishedDocument("shipway/run/published/v1", inputs, published)

        def still(document: PublishedDocument) -> bool:
            asked = ((self._repository(name), one.digest) for name, one in document.services.items())
            return all(registry.digest(repository, digest) == digest for repository, digest in asked)

        return self._ledger.once("push", "published", PublishedDocument, inputs, make, still=still)

    def release(
        self, source: SourceDocument, detection: DetectionDocument, published: PublishedDocument, reports: ScanDocument
    ) -> DraftDocument:
        """Draft the release; its number comes with the commit."""
        inputs = fingerprint(published, detection.detection, self._spec)
        front = detection.detection.services[0]
        chart = detection.detection.project_type or "monolithic"

        def make() -> DraftDocument:
            images = {
                name: ImageRef(one.repository, one.digest, "passed" if _passed(reports, name) else "unscanned")
                for name, one in published.services.items()
            }
            draft = Draft(
                schema="shipway/draft/v1",
                workspace=self._spec.workspace,
                project=self._spec.project,
                images=images,
                chart=Chart(chart, chart_version(charts(), chart)),
                env=self._spec.env,
                sealed_secret=None,
                host=self._spec.host,
                port=front.port or 8080,
                health_path=front.health_path or "/",
                source=source.source,
            )
            return DraftDocument("shipway/run/draft/v1", inputs, draft)

        return self._ledger.once("release", "draft", DraftDocument, inputs, make)

    def gitops(self, draft: DraftDocument) -> CommitDocument:
        """Commit the release to the GitOps repository, and give its images the version as a tag."""
        config = self._session.config
        inputs = fingerprint(draft.draft, self._run.run_id, config.gitops_remote, config.gitops_branch)
        session = self._session

        def make() -> CommitDocument:
            commit, release = write(
                session.mirror,
                draft.draft,
                run_id=self._run.run_id,
                generation=self._run.generation,
                checks=session.checks,
                charts=charts(),
            )
            self._events.emit("gitops", "progress", f"{release.version} is {commit.sha[:12]}")
            for image in release.images.values():
                repository = image.repository.removeprefix(f"{session.registry.host}/")
                session.registry.tag(repository, image.digest, release.version)
            return CommitDocument("shipway/run/commit/v1", inputs, commit, release)

        return self._ledger.once("gitops", "commit", CommitDocument, inputs, make)

    def preview(self) -> Live:
        """Run what the GitOps repository says now, and wait until it is healthy."""
        session = self._session
        with self._ledger.entered("preview"):
            release, wanted = committed_workload(session.mirror, self._spec.workspace, self._spec.project)
            return session.preview.sync(
                self._spec.project,
                release.version,
                wanted,
                timeout=session.config.health_timeout,
                on_line=self._log("preview"),
            )

    def _log(self, stage: str) -> Callable[[str], None]:
        return lambda line: self._events.emit(stage, "log", line)

    def _tree(self, source: Source) -> GitTree:
        return read_tree(self._folder.path / SOURCE, source.commit)

    def _repository(self, service: str) -> str:
        return f"{self._spec.workspace}/{self._spec.project}/{service}"

    def _tag(self, source: Source) -> str:
        return f"{source.commit[:12]}-{self._run.run_id}"

    def _labels(self, source: Source) -> dict[str, str]:
        return {
            "org.opencontainers.image.revision": source.commit,
            "org.opencontainers.image.source": source.repository,
            "org.opencontainers.image.title": self._spec.project,
            "shipway.home": self._session.identity,
        }

    def _images_are_there(self, document: ImageDocument) -> bool:
        return all(image_digest(self._session.docker, one.digest) for one in document.services.values())


def _passed(reports: ScanDocument, service: str) -> bool:
    return reports.services[service].verdict == "passed"
