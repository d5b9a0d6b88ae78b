"""Clusters and the nodes that their jobs share (clusters), their description for both SDKs, Kubernetes clusters,
the VM sizes that there are (vm_sizes), and quotas.
"""
