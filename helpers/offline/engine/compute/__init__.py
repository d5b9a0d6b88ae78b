"""Clusters and the nodes that their jobs share (clusters), and the VM sizes that there are (vm_sizes)."""
