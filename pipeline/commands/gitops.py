"""``shipway gitops``: the writer's own commands, and the stage that commits a release."""

from __future__ import annotations

import click

from gitops_writer.cli import gitops as writer_group
from pipeline.commands.stages import commit

__all__ = ["gitops"]


class StageOrCommand(click.Group):
    """A group that takes a target too: ``shipway gitops .`` commits its release, as the other stages' commands do."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``commit`` before anything that is neither an option of the group nor one of its commands."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["commit", *args]
        return super().parse_args(ctx, args)


gitops = StageOrCommand(name="gitops", commands={**writer_group.commands, "commit": commit})
gitops.help = """Commit a release to the GitOps repository, or look into it.

\b
Examples:
  shipway gitops .                 commit the release of this folder (as `shipway gitops commit .`)
  shipway gitops show PROJECT      list the committed files
  shipway gitops render PROJECT    print the manifests that Argo CD makes of them
"""
