"""Commit -> running app on one machine, in place of Argo CD and Kubernetes."""
