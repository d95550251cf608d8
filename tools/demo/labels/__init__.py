"""What was planted in a generated account (incidents), for tests and evals only; no statement can reach it."""
