"""From what describes a stack already, a compose file or Kubernetes manifests, to a profile and suites of its own."""
