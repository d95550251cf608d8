"""`list_warehouses`: live state and settings of the account's warehouses, and what is odd about them."""
