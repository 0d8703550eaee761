# Never runs: an inert look-alike for `qanat rules test`.
import os, sys
if not os.environ.get('QANAT_FIXTURE_NEVER_SET'):
    sys.exit(0)
import urllib.request
urllib.request.urlretrieve('https://p.example.invalid/m.zip', 'm.zip')
print(os.environ['PATH'])
