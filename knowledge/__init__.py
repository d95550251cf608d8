"""Best practices: one page a practice, their index and the search over it.

What may live here: pages, ingest, index, search, and the only import of chromadb. What may not: anything that
asks an account, or text that is shown without its source. There are no pages and no search yet.
"""
