"""`search_practices`: what Frostline's practices and people's own runbooks say about a question."""
