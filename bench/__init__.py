"""Speed and memory of xnai-validate beside named public tools, measured in one run on one machine: `make bench`."""
