"""The integration report: several runs of one stack as one document, and whether the stack is ready."""
