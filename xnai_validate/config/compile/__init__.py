"""From profiles and suites to a plan."""
