"""The platform on Kubernetes: manifests by kustomize, an overlay per agency, and what holds them against schemas and the code."""
