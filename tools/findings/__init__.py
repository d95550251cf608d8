"""`list_findings`: what scans have found, from the store; and a finding's headline."""
