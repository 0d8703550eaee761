"""rivals-guarddog.py - GuardDog's scan of several tarballs in one process, without its start-up and without its sandbox, for
bench/rivals.  Runs in GuardDog's own environment: {"cpu": [seconds…], "results": […]} as JSON."""
import json
import sys
import tempfile
import time

from guarddog.scanners.npm_package_scanner import NPMPackageScanner
from guarddog.utils.archives import safe_extract

scanner = NPMPackageScanner()
cpu, results = [], []
for archive in sys.argv[1:]:
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as where:
        safe_extract(archive, where)
        results.append(scanner.scan_local(where))
    cpu.append(time.process_time() - begun)
json.dump({"cpu": cpu, "results": results}, sys.stdout)
