"""The rule language: Sigma documents with locations, parsed and checked."""
