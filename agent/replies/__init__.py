"""What a reply may say: the citation grammar, how figures are written, and the claims that are refused."""
