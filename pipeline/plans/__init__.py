"""Service -> BuildPlan: how each language becomes an image, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from detectors.model import Service
from pipeline.artifacts import BuildPlan
from pipeline.plans.errors import PlanError
from pipeline.plans.jvm import jvm_plan
from pipeline.plans.node import node_plan
from pipeline.plans.python import python_plan
from pipeline.plans.static import static_plan

__all__ = ["PLANS", "PlanError", "plan"]

PLANS: Mapping[str, Callable[[Service], BuildPlan]] = {
    "node": node_plan,
    "python": python_plan,
    "java": jvm_plan,
    "kotlin": jvm_plan,  # Maven compiles it; what runs is a jar all the same
    "static": static_plan,
}
"""Every language that has a plan. A new language is one module beside these and one line here."""


def plan(service: Service) -> BuildPlan:
    """Return how ``service`` becomes an image; the same service always gives the same plan.

    Raises PlanError (``not_deployable``) if nobody has written a plan for its language or its package manager.
    """
    language_plan = PLANS.get(service.language)
    if language_plan is None:
        raise PlanError(
            "plan.no_such_language",
            f"service {service.name} can't be built: there is no build plan for {service.language}",
            why=f"build plans exist for {', '.join(PLANS)}",
            fix="set `root` in shipway.yaml to the folder of an app in one of these languages",
            kind="not_deployable",
        )
    return language_plan(service)
