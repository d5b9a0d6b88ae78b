"""Clusters and the nodes that their jobs share (clusters), the VM sizes that there are (vm_sizes), and quotas."""
