"""HTTP/1.1 as a load speaks it: thousands of requests and responses at little cost."""
