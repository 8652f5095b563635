"""Jobs on a cluster of this machine: `make test-ray`."""
