"""The eval suite that gates CI: cases (YAML), evaluators, the runner, and a manifest of how many must run.

A case is a conversation and what must hold of it. Keys to figures are SQL that runs on the account itself,
never numbers written down. What may not live here: anything the product needs at run time.
"""
