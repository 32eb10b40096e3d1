"""Import a stack: from compose files, Kubernetes manifests or an OpenAPI document to a profile and suites."""
