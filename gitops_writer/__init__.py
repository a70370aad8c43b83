"""A release draft in, a commit in ``plateform-gitops`` out."""
