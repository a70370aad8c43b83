"""The machine: what it lacks, and the embedded engine, registry and GitOps repository under SHIPWAY_HOME."""
