"""The nodes of the two graphs, one a file, named by what they do."""
