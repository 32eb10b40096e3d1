"""Kubernetes manifests, as far as checks depend on them: workloads, Services and Ingresses."""
