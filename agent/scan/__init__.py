"""The proactive scan: looks at the account, says what stands out, and remembers it. It holds no writer.

context    ScanContext: all that a scan may use; ScanRules: where it draws its lines
run        scan_once(context) -> ScanReport: one scan, under a lease
billing    the billing tier: hourly series of ACCOUNT_USAGE, hours late and exact
live       the live tier: SHOW WAREHOUSES and running statements, as they are now
sizes      warehouses that were made larger and stayed so
leasing    a lease that is kept while the work goes on
"""

from agent.scan.context import ScanContext, ScanRules
from agent.scan.run import ScanReport, scan_once

__all__ = ["ScanContext", "ScanReport", "ScanRules", "scan_once"]
