"""The commands of the pipeline: parse, call, print."""
