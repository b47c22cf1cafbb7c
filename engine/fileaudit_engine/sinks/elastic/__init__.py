"""Elasticsearch: records into data streams, and what the node has to know of them before."""
