"""`budget`: where the month or the contract will end, and how likely it is to run over."""
