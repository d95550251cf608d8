"""Best practices: one page a practice, their index and the search over it.

What may live here: pages, ingest, index, search, and the only import of chromadb. What may not: anything that
asks an account, or text that is shown without its source. `knowledge.search.Library` is the way in; nothing here raises
errors of `tools`, which stands above it: agent.library turns KnowledgeError into those.
"""
